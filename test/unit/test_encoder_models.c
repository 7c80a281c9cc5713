/*-------------------------------------------------------------------------
 * test_encoder_models.c
 *		The models that "make models" has made are read from first to last number, from their
 *		folders and from archives that tar has packed.  Without them nothing is tested.
 *-------------------------------------------------------------------------
 */
#include "core/model/encoder_weights.h"

#include <dirent.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define MODELS "build/models/"
#define MAX_FILES 100

typedef struct Folder
{
	int			n;
	FILE	   *files[MAX_FILES];
} Folder;

static AiCode
read_file(void *ud, void *to, uint64_t offset, size_t n, AiError *err)
{
	if (fseek(ud, (long) offset, SEEK_SET) != 0 || fread(to, 1, n, ud) != n)
		return ai_fail(err, AI_ERR_BUG, "could not read a file");
	return AI_OK;
}

static AiSource
open_source(Folder *folder, const char *path)
{
	FILE	   *file = fopen(path, "rb");
	struct stat st;

	if (file == NULL || fstat(fileno(file), &st) != 0 || folder->n == MAX_FILES)
		fail_msg("cannot open %s", path);
	folder->files[folder->n++] = file;
	return (AiSource) {.read = read_file, .ud = file, .size = (uint64_t) st.st_size};
}

static void
close_sources(Folder *folder)
{
	while (folder->n > 0)
		fclose(folder->files[--folder->n]);
}

/* Every file of a folder, and of those in it */
static void
add_folder(AiCheckpoint *checkpoint, Folder *folder, const char *top, const char *inner)
{
	char		path[1000];
	char		name[1000];
	DIR		   *dir;
	struct dirent *entry;
	struct stat st;

	snprintf(path, sizeof(path), "%s/%s", top, inner);
	dir = opendir(path);
	if (dir == NULL)
		fail_msg("cannot open %s", path);
	while ((entry = readdir(dir)) != NULL)
	{
		if (entry->d_name[0] == '.')
			continue;
		snprintf(name, sizeof(name), "%.400s%s", inner, entry->d_name);
		snprintf(path, sizeof(path), "%.400s/%.500s", top, name);
		if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		{
			strcat(name, "/");
			add_folder(checkpoint, folder, top, name);
		}
		else if (ai_checkpoint_wants(name))
		{
			AiSource	source = open_source(folder, path);

			assert_int_equal(ai_checkpoint_add(checkpoint, name, &source, NULL), AI_OK);
		}
	}
	closedir(dir);
}

/* The sum of all numbers of all parts */
static double
sum_parts(const AiEncoderWeights *parts)
{
	double		sum = 0;
	AiError		err;

	for (int i = 0; i < parts->n; i++)
	{
		const AiEncoderWeight *weight = &parts->list[i];
		float	   *row = malloc((size_t) weight->width * sizeof(float));

		for (int64_t r = 0; r < weight->n_rows; r++)
		{
			if (ai_encoder_weight_read(weight, row, r, 1, &err) != AI_OK)
				fail_msg("%s", err.message);
			for (int64_t c = 0; c < weight->width; c++)
				sum += row[c];
		}
		free(row);
	}
	return sum;
}

/* Import what has been added; a sum of its numbers */
static double
import_model(AiEncoderConfig *config, AiCheckpoint *checkpoint)
{
	AiCheckpointWeights	weights;
	AiEncoderWeights parts;
	AiError		err;
	double		sum;

	if (ai_checkpoint_open(checkpoint, &err) != AI_OK ||
		ai_checkpoint_weights_open(&weights, checkpoint, checkpoint->folder, &err) != AI_OK ||
		ai_encoder_config_read(config, checkpoint, &weights, &err) != AI_OK ||
		ai_encoder_weights_open(&parts, config, checkpoint, &weights, &err) != AI_OK)
		fail_msg("%s %s", err.message, err.detail);
	sum = sum_parts(&parts);
	ai_encoder_weights_close(&parts);
	ai_checkpoint_weights_close(&weights);
	return sum;
}

static double
import_folder(AiEncoderConfig *config, AiCheckpoint *checkpoint, const char *name)
{
	Folder		folder = {.n = 0};
	char		path[200];
	double		sum;

	snprintf(path, sizeof(path), MODELS "%s", name);
	ai_checkpoint_init(checkpoint, ai_malloc_host());
	add_folder(checkpoint, &folder, path, "");
	sum = import_model(config, checkpoint);
	close_sources(&folder);
	return sum;
}

/* By a tar that is installed, in this format; false when there is none */
static bool
import_tar(AiEncoderConfig *config, AiCheckpoint *checkpoint, double *sum, const char *name,
		   const char *format)
{
	static const char archive[] = MODELS "packed.tar";
	Folder		folder = {.n = 0};
	char		command[500];
	AiSource	source;
	AiError		err;

	snprintf(command, sizeof(command), "tar --format=%s -cf %s -C " MODELS " %s 2>/dev/null", format,
			 archive, name);
	if (system(command) != 0)
		return false;
	source = open_source(&folder, archive);
	ai_checkpoint_init(checkpoint, ai_malloc_host());
	if (ai_checkpoint_add_tar(checkpoint, &source, &err) != AI_OK)
		fail_msg("%s", err.message);
	*sum = import_model(config, checkpoint);
	close_sources(&folder);
	unlink(archive);
	return true;
}

/* What each model is */
static const struct
{
	const char *name;
	AiEncoderFamily family;
	AiEncoderHead head;
	int			width;
	int			n_vocab;
	int			n_out;
	int			max_tokens;
	AiPooling pooling;
	bool		normalises;
}			models[] = {
	{"minilm", AI_ENCODER_BERT, AI_ENCODER_EMBEDDING, 384, 30522, 384, 256, AI_POOL_MEAN, true},
	{"static", AI_ENCODER_STATIC, AI_ENCODER_EMBEDDING, 64, 276326, 64, 512, AI_POOL_MEAN, true},
	{"random/bert-mean", AI_ENCODER_BERT, AI_ENCODER_EMBEDDING, 64, 30522, 64, 128, AI_POOL_MEAN, true},
	{"random/bert-cls", AI_ENCODER_BERT, AI_ENCODER_EMBEDDING, 64, 30522, 64, 128, AI_POOL_FIRST, false},
	{"random/bert-dense", AI_ENCODER_BERT, AI_ENCODER_EMBEDDING, 64, 30522, 24, 128, AI_POOL_MAX, true},
	{"random/bert-weighted", AI_ENCODER_BERT, AI_ENCODER_EMBEDDING, 64, 30522, 64, 128,
	AI_POOL_WEIGHTED, true},
	{"random/bert-sqrt", AI_ENCODER_BERT, AI_ENCODER_EMBEDDING, 64, 30522, 64, 128,
	AI_POOL_MEAN_SQRT, false},
	{"random/bert-classes", AI_ENCODER_BERT, AI_ENCODER_CLASSES, 64, 30522, 3, 128, AI_POOL_MEAN, false},
	{"random/bert-multi", AI_ENCODER_BERT, AI_ENCODER_MULTI_LABEL, 64, 30522, 4, 128, AI_POOL_MEAN, false},
	{"random/bert-regression", AI_ENCODER_BERT, AI_ENCODER_REGRESSION, 64, 30522, 1, 128, AI_POOL_MEAN,
	false},
	{"random/bert-cross", AI_ENCODER_BERT, AI_ENCODER_CROSS, 64, 30522, 1, 128, AI_POOL_MEAN, false},
	{"random/distilbert", AI_ENCODER_DISTILBERT, AI_ENCODER_EMBEDDING, 64, 30522, 64, 128, AI_POOL_MEAN,
	true},
	{"random/distilbert-sin", AI_ENCODER_DISTILBERT, AI_ENCODER_EMBEDDING, 64, 30522, 64, 128,
	AI_POOL_LAST, true},
	{"random/distilbert-classes", AI_ENCODER_DISTILBERT, AI_ENCODER_CLASSES, 64, 30522, 2, 128,
	AI_POOL_MEAN, false},
	{"random/roberta", AI_ENCODER_ROBERTA, AI_ENCODER_EMBEDDING, 64, 50265, 64, 128, AI_POOL_MEAN, true},
	{"random/roberta-nli", AI_ENCODER_ROBERTA, AI_ENCODER_CLASSES, 64, 50265, 3, 128, AI_POOL_MEAN, false},
	{"random/xlm-roberta", AI_ENCODER_XLM_ROBERTA, AI_ENCODER_EMBEDDING, 32, 250002, 32, 128,
	AI_POOL_MEAN, true},
	{"random/mpnet", AI_ENCODER_MPNET, AI_ENCODER_EMBEDDING, 64, 30526, 64, 128, AI_POOL_MEAN, true},
	{"random/model2vec", AI_ENCODER_STATIC, AI_ENCODER_EMBEDDING, 64, 30522, 64, 512, AI_POOL_MEAN, true},
	{"random/static-modules", AI_ENCODER_STATIC, AI_ENCODER_EMBEDDING, 64, 30522, 64, 0, AI_POOL_MEAN,
	true},
};

#define N_MODELS (int) (sizeof(models) / sizeof(models[0]))

static bool
is_made(const char *name)
{
	char		path[200];

	snprintf(path, sizeof(path), MODELS "%s/made_from", name);
	return access(path, R_OK) == 0;
}

static void
check_model(const AiEncoderConfig *config, int m)
{
	assert_int_equal(config->family, models[m].family);
	assert_int_equal(config->head, models[m].head);
	assert_int_equal(config->width, models[m].width);
	assert_int_equal(config->n_vocab, models[m].n_vocab);
	assert_int_equal(config->n_out, models[m].n_out);
	assert_int_equal(config->max_tokens, models[m].max_tokens);
	assert_int_equal(config->pooling, models[m].pooling);
	assert_int_equal(config->normalises, models[m].normalises);
}

/* from its folder and from an archive, the same */
static void
test_models(void **state)
{
	static const char *const formats[] = {"ustar", "gnu", "pax"};

	(void) state;
	for (int m = 0; m < N_MODELS; m++)
	{
		AiCheckpoint checkpoint;
		AiEncoderConfig config;
		double		sum;
		double		packed_sum;

		if (!is_made(strncmp(models[m].name, "random", 6) == 0 ? "random" : "minilm"))
			continue;
		sum = import_folder(&config, &checkpoint, models[m].name);
		check_model(&config, m);
		assert_true(isfinite(sum));
		ai_checkpoint_free(&checkpoint);
		if (import_tar(&config, &checkpoint, &packed_sum, models[m].name, formats[m % 3]))
		{
			check_model(&config, m);
			assert_true(packed_sum == sum);
			ai_checkpoint_free(&checkpoint);
		}
	}
}

/* what MiniLM's files say of rights, and the hash of its weights */
static void
test_lineage(void **state)
{
	static const uint8_t expected[4] = {0x53, 0xaa, 0x51, 0x17};
	AiCheckpoint checkpoint;
	AiCheckpointLicense license;
	Folder		folder = {.n = 0};
	uint8_t		digest[AI_SHA256_SIZE];
	AiError		err;

	(void) state;
	if (!is_made("minilm"))
		skip();
	ai_checkpoint_init(&checkpoint, ai_malloc_host());
	add_folder(&checkpoint, &folder, MODELS "minilm", "");
	assert_int_equal(ai_checkpoint_open(&checkpoint, &err), AI_OK);
	assert_int_equal(ai_checkpoint_license(&checkpoint, &license, &err), AI_OK);
	assert_string_equal(license.tag, "apache-2.0");
	assert_int_equal(ai_checkpoint_hash(&checkpoint, digest,
										ai_checkpoint_find(&checkpoint, "", "model.safetensors"),
										&err), AI_OK);
	assert_memory_equal(digest, expected, sizeof(expected));
	ai_checkpoint_free(&checkpoint);
	close_sources(&folder);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_models),
		cmocka_unit_test(test_lineage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
