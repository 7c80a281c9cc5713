/*-------------------------------------------------------------------------
 * test_checkpoint.c
 *		The model's folder is found in what was given, with its weights and its licence, and
 *		what is missing or there twice is named.
 *-------------------------------------------------------------------------
 */
#include "core/format/checkpoint.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "test_files.h"
#include "test_host.h"

#define TENSOR(name, begin, end) \
	"\"" name "\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[" #begin "," #end "]}"

#define MAX_FILES 12

/* path and content, up to a NULL; "#NAME" as content: a file of weights with this tensor */
typedef const char *Files[MAX_FILES][2];

static const float numbers[] = {1, 2, 3};

static void
make_file(AiBuf *file, const AiHost *host, const char *content)
{
	char		header[200];

	ai_buf_init(file, host);
	if (content[0] != '#')
	{
		assert_int_equal(ai_buf_append(file, content, strlen(content), NULL), AI_OK);
		return;
	}
	snprintf(header, sizeof(header), "{" TENSOR("%s", 0, 4) "}", content + 1);
	files_safetensors(file, header, numbers, 4);
}

static AiCode
open_files(AiCheckpoint *checkpoint, AiBuf *bytes, const AiHost *host, Files files, AiError *err)
{
	AiCode		code = AI_OK;

	ai_checkpoint_init(checkpoint, host);
	for (int i = 0; i < MAX_FILES; i++)
		ai_buf_init(&bytes[i], ai_malloc_host());
	for (int i = 0; i < MAX_FILES && files[i][0] != NULL && code == AI_OK; i++)
	{
		AiSource	source;

		make_file(&bytes[i], ai_malloc_host(), files[i][1]);
		source = files_read_source(&bytes[i]);
		code = ai_checkpoint_add(checkpoint, files[i][0], &source, err);
	}
	return code == AI_OK ? ai_checkpoint_open(checkpoint, err) : code;
}

static void
close_files(AiCheckpoint *checkpoint, AiBuf *bytes)
{
	ai_checkpoint_free(checkpoint);
	for (int i = 0; i < MAX_FILES; i++)
		ai_buf_free(&bytes[i]);
}

static Files complete = {
	{"config.json", "{\"a\": 1}"},
	{"model.safetensors", "#x"},
	{"modules.json", "[{\"type\": \"sentence_transformers.models.Transformer\", \"path\": \"\"},"
	" {\"type\": \"sentence_transformers.models.Pooling\", \"path\": \"./1_Pooling/\"}]"},
	{"1_Pooling/config.json", "{}"},
	{"README.md", "---\nlanguage: en\nlicense: apache-2.0 \r\ntags:\n- x\n---\nlicense: other\n"},
	{"LICENSE.txt", "As is\xff"},
	{"vocab.txt", "a\nb\n"},
	{"onnx/model.onnx", "not wanted"},
};

static void
check_complete(AiCheckpoint *checkpoint)
{
	AiCheckpointLicense license;
	AiCheckpointWeights	weights;
	const AiJson *json;
	const AiCheckpointWeight *weight;
	const char *text;
	size_t		len;
	float		value;
	AiError		err;

	assert_int_equal(checkpoint->n_files, 7);
	assert_int_equal(checkpoint->n_modules, 2);
	assert_string_equal(checkpoint->folder, "");
	assert_string_equal(checkpoint->modules[1].type, "Pooling");
	assert_string_equal(checkpoint->modules[1].folder, "1_Pooling/");
	assert_int_equal(ai_checkpoint_json(checkpoint, &json, "1_Pooling/", "config.json", &err), AI_OK);
	assert_non_null(json);
	assert_int_equal(ai_checkpoint_json(checkpoint, &json, "", "tokenizer_config.json", &err), AI_OK);
	assert_null(json);
	assert_int_equal(ai_checkpoint_text(checkpoint, &text, &len, "", "vocab.txt", &err), AI_OK);
	assert_string_equal(text, "a\nb\n");
	assert_int_equal(ai_checkpoint_license(checkpoint, &license, &err), AI_OK);
	assert_string_equal(license.tag, "apache-2.0");
	assert_int_equal(license.text_len, 5);
	assert_memory_equal(license.text, "As is", 5);
	assert_int_equal(ai_checkpoint_weights_open(&weights, checkpoint, "", &err), AI_OK);
	assert_null(ai_checkpoint_weights_find(&weights, "y"));
	weight = ai_checkpoint_weights_find(&weights, "x");
	assert_non_null(weight);
	assert_int_equal(ai_safetensors_read(weight->file, weight->tensor, &value, 0, 1, &err), AI_OK);
	assert_true(value == 1);
	ai_checkpoint_weights_close(&weights);
}

/* files that were added one by one */
static void
test_folder(void **state)
{
	AiCheckpoint checkpoint;
	AiBuf		bytes[MAX_FILES];
	AiError		err;

	(void) state;
	assert_int_equal(open_files(&checkpoint, bytes, ai_malloc_host(), complete, &err), AI_OK);
	check_complete(&checkpoint);
	close_files(&checkpoint, bytes);
}

static void
make_tar(AiBuf *tar, const char *prefix, Files files)
{
	ai_buf_init(tar, ai_malloc_host());
	for (int i = 0; i < MAX_FILES && files[i][0] != NULL; i++)
	{
		char		path[200];
		AiBuf		file;

		make_file(&file, ai_malloc_host(), files[i][1]);
		snprintf(path, sizeof(path), "%s%s", prefix, files[i][0]);
		files_tar_entry(tar, path, '0', file.data, file.len);
		ai_buf_free(&file);
	}
	files_tar_end(tar);
}

/* the same in an archive, in whatever folder; beside it there may be others, but no second model */
static void
test_tar(void **state)
{
	static const char *const prefixes[] = {"", "./", "minilm/", "models/of/minilm/"};

	(void) state;
	for (int i = 0; i < 4; i++)
	{
		AiCheckpoint checkpoint;
		AiBuf		tar;
		AiSource	source;
		AiError		err;

		make_tar(&tar, prefixes[i], complete);
		source = ai_source_of_memory(tar.data, tar.len);
		ai_checkpoint_init(&checkpoint, ai_malloc_host());
		assert_int_equal(ai_checkpoint_add_tar(&checkpoint, &source, &err), AI_OK);
		assert_int_equal(ai_checkpoint_open(&checkpoint, &err), AI_OK);
		check_complete(&checkpoint);
		ai_checkpoint_free(&checkpoint);
		ai_buf_free(&tar);
	}
}

/* an archive that is packed, or none at all, is told apart */
static void
test_no_tar(void **state)
{
	static const char *const cases[][2] = {
		{"\x1f\x8b\x08\0", "They look like a gzip archive."},
		{"PK\3\4", "They look like a zip archive, as which PyTorch stores pytorch_model.bin and "
		"Keras its models."},
		{"GGUF", "They look like a GGUF model."},
		{"", ""},
	};
	AiCheckpoint checkpoint;
	AiError		err;

	(void) state;
	ai_checkpoint_init(&checkpoint, ai_malloc_host());
	for (int i = 0; i < 4; i++)
	{
		AiSource	source = ai_source_of_memory(cases[i][0], strlen(cases[i][0]));

		assert_int_equal(ai_checkpoint_add_tar(&checkpoint, &source, &err), AI_ERR_FORMAT);
		assert_string_equal(err.message, "the bytes are not a model that aiaas can read");
		assert_string_equal(err.detail, cases[i][1]);
	}
	ai_checkpoint_free(&checkpoint);
}

/* the transformer of older folders is in one of its own */
static void
test_inner_folder(void **state)
{
	static Files files = {
		{"top/modules.json", "[{\"type\": \"a.Transformer\", \"path\": \"0_Transformer\"}]"},
		{"top/0_Transformer/config.json", "{}"},
		{"top/0_Transformer/model.safetensors", "#x"},
		{"elsewhere/x/y/config.json", "{}"},
	};
	AiCheckpoint checkpoint;
	AiBuf		bytes[MAX_FILES];
	AiCheckpointWeights	weights;
	AiError		err;

	(void) state;
	assert_int_equal(open_files(&checkpoint, bytes, ai_malloc_host(), files, &err), AI_OK);
	assert_string_equal(checkpoint.folder, "0_Transformer/");
	assert_int_equal(checkpoint.n_files, 3);
	assert_int_equal(ai_checkpoint_weights_open(&weights, &checkpoint, checkpoint.folder, &err),
					 AI_OK);
	ai_checkpoint_weights_close(&weights);
	close_files(&checkpoint, bytes);
}

/* shards are one list */
static void
test_shards(void **state)
{
	static Files files = {
		{"config.json", "{}"},
		{"model-1.safetensors", "#x"},
		{"model-2.safetensors", "#a"},
		{"model.safetensors.index.json",
		"{\"metadata\": {}, \"weight_map\": {\"x\": \"model-1.safetensors\", \"a\": \"model-2.safetensors\"}}"},
	};
	AiCheckpoint checkpoint;
	AiBuf		bytes[MAX_FILES];
	AiCheckpointWeights	weights;
	AiError		err;

	(void) state;
	assert_int_equal(open_files(&checkpoint, bytes, ai_malloc_host(), files, &err), AI_OK);
	assert_int_equal(ai_checkpoint_weights_open(&weights, &checkpoint, "", &err), AI_OK);
	assert_int_equal(weights.n, 2);
	assert_string_equal(weights.list[0].tensor->name, "a");
	assert_string_equal(ai_checkpoint_weights_find(&weights, "x")->file->file, "model-1.safetensors");
	ai_checkpoint_weights_close(&weights);
	close_files(&checkpoint, bytes);
}

/* What is refused when files are looked for, or weights are opened */
static const struct
{
	Files		files;
	const char *message;
}			hostile[] = {
	{{{"README.md", ""}}, "the model has no file \"config.json\""},
	{{{"config.json", "{}"}, {"config.json", "{}"}}, "file \"config.json\" of the model is there twice"},
	{{{"a/config.json", "{}"}, {"b/config.json", "{}"}}, "there is more than one model"},
	{{{"modules.json", "{}"}}, "file \"modules.json\" of the model is no list of modules"},
	{{{"modules.json", "["}},
	"file \"modules.json\" of the model: invalid JSON: ']' expected near end of file"},
	{{{"modules.json", "[{\"type\": \"x\"}]"}}, "file \"modules.json\" of the model is no list of modules"},
	{{{"modules.json", "[1]"}}, "file \"modules.json\" of the model is no list of modules"},
	{{{"modules.json", "[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]"}}, "model has 17 modules, more than 16"},
	{{{"config.json", "{}"}}, "the model has no file \"model.safetensors\""},
	{{{"config.json", "{}"}, {"model.safetensors.index.json", "[]"}},
	"file \"model.safetensors.index.json\" of the model is no JSON object"},
	{{{"config.json", "{}"}, {"model.safetensors.index.json", "{"}},
	"file \"model.safetensors.index.json\" of the model: invalid JSON: string or '}' expected near end of file"},
	{{{"config.json", "{}"}, {"model.safetensors.index.json", "{}"}},
	"file \"model.safetensors.index.json\" of the model has no weight_map"},
	{{{"config.json", "{}"}, {"model.safetensors.index.json", "{\"weight_map\":{\"x\":1}}"}},
	"file \"model.safetensors.index.json\" of the model: no name of a file for tensor \"x\""},
	{{{"config.json", "{}"}, {"model.safetensors.index.json", "{\"weight_map\":{\"x\":\"../x\"}}"}},
	"file \"model.safetensors.index.json\" of the model: there is no file \"../x\""},
	{{{"config.json", "{}"}, {"a.safetensors", "#x"},
	{"model.safetensors.index.json", "{\"weight_map\":{\"y\":\"a.safetensors\"}}"}},
	"file \"model.safetensors.index.json\" of the model: there is no tensor \"y\""},
	{{{"config.json", "{}"}, {"a.safetensors", "#x"}, {"b.safetensors", "#x"},
	{"model.safetensors.index.json",
	"{\"weight_map\":{\"x\":\"a.safetensors\",\"y\":\"b.safetensors\"}}"}},
	"tensor \"x\" is in file \"a.safetensors\" and in \"b.safetensors\""},
	{{{"config.json", "{}"}, {"a.safetensors", "#x"}, {"b.safetensors", "#y"},
	{"model.safetensors.index.json",
	"{\"weight_map\":{\"x\":\"b.safetensors\",\"y\":\"a.safetensors\"}}"}},
	"file \"model.safetensors.index.json\" of the model: there is no tensor \"x\""},
	{{{"config.json", "{}"}, {"model.safetensors", "x"}},
	"invalid safetensors file \"model.safetensors\": it ends within its header"},
};

static void
test_hostile(void **state)
{
	(void) state;
	for (size_t i = 0; i < sizeof(hostile) / sizeof(hostile[0]); i++)
	{
		AiCheckpoint checkpoint;
		AiBuf		bytes[MAX_FILES];
		AiCheckpointWeights	weights;
		Files		files;
		AiError		err = {.message = ""};
		AiCode		code;

		memcpy(files, hostile[i].files, sizeof(files));
		code = open_files(&checkpoint, bytes, ai_malloc_host(), files, &err);
		if (code == AI_OK)
			code = ai_checkpoint_weights_open(&weights, &checkpoint, checkpoint.folder, &err);
		if (code == AI_OK || strcmp(err.message, hostile[i].message) != 0)
			fail_msg("%zu: %s", i, err.message);
		close_files(&checkpoint, bytes);
	}
}

/* weights that are no safetensors are named in the hint */
static void
test_pickle(void **state)
{
	static Files files = {{"config.json", "{}"}, {"pytorch_model.bin", "x"}};
	AiCheckpoint checkpoint;
	AiBuf		bytes[MAX_FILES];
	AiCheckpointWeights	weights;
	AiError		err;

	(void) state;
	assert_int_equal(open_files(&checkpoint, bytes, ai_malloc_host(), files, &err), AI_OK);
	assert_int_equal(ai_checkpoint_weights_open(&weights, &checkpoint, "", &err), AI_ERR_FORMAT);
	assert_string_equal(err.hint,
						"Store the model again with save_pretrained(..., safe_serialization=True).");
	close_files(&checkpoint, bytes);
}

/* the hash is that of all bytes */
static void
test_hash(void **state)
{
	AiCheckpoint checkpoint;
	AiBuf		bytes[MAX_FILES];
	uint8_t		digest[AI_SHA256_SIZE];
	uint8_t		expected[AI_SHA256_SIZE];
	AiError		err;

	(void) state;
	assert_int_equal(open_files(&checkpoint, bytes, ai_malloc_host(), complete, &err), AI_OK);
	assert_int_equal(ai_checkpoint_hash(&checkpoint, digest,
										ai_checkpoint_find(&checkpoint, "", "vocab.txt"), &err), AI_OK);
	assert_int_equal(ai_sha256(expected, "a\nb\n", 4, &err), AI_OK);
	assert_memory_equal(digest, expected, sizeof(digest));
	close_files(&checkpoint, bytes);
}

static AiCode
use_all(const AiHost *host, void *arg, AiError *err)
{
	AiCheckpoint checkpoint;
	AiBuf		bytes[MAX_FILES];
	AiCheckpointWeights	weights;
	AiCheckpointLicense license;
	uint8_t		digest[AI_SHA256_SIZE];
	AiCode		code = open_files(&checkpoint, bytes, host, arg, err);

	if (code == AI_OK)
		code = ai_checkpoint_license(&checkpoint, &license, err);
	if (code == AI_OK)
		code = ai_checkpoint_hash(&checkpoint, digest, &checkpoint.files[0], err);
	if (code == AI_OK)
		code = ai_checkpoint_weights_open(&weights, &checkpoint, "", err);
	if (code == AI_OK)
		ai_checkpoint_weights_close(&weights);
	close_files(&checkpoint, bytes);
	return code;
}

static void
test_failures(void **state)
{
	(void) state;
	test_every_failed_alloc(use_all, complete);
	test_every_stop(use_all, complete);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_folder),
		cmocka_unit_test(test_tar),
		cmocka_unit_test(test_no_tar),
		cmocka_unit_test(test_inner_folder),
		cmocka_unit_test(test_shards),
		cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_pickle),
		cmocka_unit_test(test_hash),
		cmocka_unit_test(test_failures),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
