/*-------------------------------------------------------------------------
 * test_encoder_models.c
 *		The models that "make models" has made are read from first to last number, from their
 *		folders and from archives that tar has packed, and answer as PyTorch does.  Without them
 *		nothing is tested, which is an error where the environment has CI.
 *-------------------------------------------------------------------------
 */
#include "core/model/encoder_batch.h"

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

#include "core/base/rng.h"
#include "core/model/encoder_import.h"
#include "core/model/encoder_weights.h"
#include "test_golden.h"

#define MODELS "build/models/"
#define GOLDEN "test/models/golden/"
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
	AiEncoderAnswer answer;
	int			width;
	int			n_vocab;
	int			n_out;
	int			max_tokens;
	AiPooling pooling;
	bool		normalises;
}			models[] = {
	{"minilm", AI_ENCODER_BERT, AI_ANSWER_EMBEDDING, 384, 30522, 384, 256, AI_POOL_MEAN, true},
	{"static", AI_ENCODER_STATIC, AI_ANSWER_EMBEDDING, 64, 276326, 64, 512, AI_POOL_MEAN, true},
	{"random/bert-mean", AI_ENCODER_BERT, AI_ANSWER_EMBEDDING, 64, 30522, 64, 128, AI_POOL_MEAN, true},
	{"random/bert-cls", AI_ENCODER_BERT, AI_ANSWER_EMBEDDING, 64, 30522, 64, 128, AI_POOL_FIRST, false},
	{"random/bert-dense", AI_ENCODER_BERT, AI_ANSWER_EMBEDDING, 64, 30522, 24, 128, AI_POOL_MAX, true},
	{"random/bert-weighted", AI_ENCODER_BERT, AI_ANSWER_EMBEDDING, 64, 30522, 64, 128,
	AI_POOL_WEIGHTED, true},
	{"random/bert-sqrt", AI_ENCODER_BERT, AI_ANSWER_EMBEDDING, 64, 30522, 64, 128,
	AI_POOL_MEAN_SQRT, false},
	{"random/bert-classes", AI_ENCODER_BERT, AI_ANSWER_CLASS, 64, 30522, 3, 128, AI_POOL_MEAN, false},
	{"random/bert-multi", AI_ENCODER_BERT, AI_ANSWER_LABELS, 64, 30522, 4, 128, AI_POOL_MEAN, false},
	{"random/bert-regression", AI_ENCODER_BERT, AI_ANSWER_VALUES, 64, 30522, 1, 128, AI_POOL_MEAN,
	false},
	{"random/bert-cross", AI_ENCODER_BERT, AI_ANSWER_VALUES, 64, 30522, 1, 128, AI_POOL_MEAN, false},
	{"random/bert-prompt", AI_ENCODER_BERT, AI_ANSWER_EMBEDDING, 64, 30522, 64, 128, AI_POOL_MEAN, true},
	{"random/bert-lower", AI_ENCODER_BERT, AI_ANSWER_EMBEDDING, 64, 30522, 64, 128, AI_POOL_MEAN, true},
	{"random/distilbert", AI_ENCODER_DISTILBERT, AI_ANSWER_EMBEDDING, 64, 30522, 64, 128, AI_POOL_MEAN,
	true},
	{"random/distilbert-sin", AI_ENCODER_DISTILBERT, AI_ANSWER_EMBEDDING, 64, 30522, 64, 128,
	AI_POOL_LAST, true},
	{"random/distilbert-classes", AI_ENCODER_DISTILBERT, AI_ANSWER_CLASS, 64, 30522, 2, 128,
	AI_POOL_MEAN, false},
	{"random/roberta", AI_ENCODER_ROBERTA, AI_ANSWER_EMBEDDING, 64, 50265, 64, 128, AI_POOL_MEAN, true},
	{"random/roberta-nli", AI_ENCODER_ROBERTA, AI_ANSWER_CLASS, 64, 50265, 3, 128, AI_POOL_MEAN, false},
	{"random/xlm-roberta", AI_ENCODER_XLM_ROBERTA, AI_ANSWER_EMBEDDING, 32, 250002, 32, 128,
	AI_POOL_MEAN, true},
	{"random/mpnet", AI_ENCODER_MPNET, AI_ANSWER_EMBEDDING, 64, 30526, 64, 128, AI_POOL_MEAN, true},
	{"random/model2vec", AI_ENCODER_STATIC, AI_ANSWER_EMBEDDING, 64, 30522, 64, 512, AI_POOL_MEAN, true},
	{"random/static-modules", AI_ENCODER_STATIC, AI_ANSWER_EMBEDDING, 64, 30522, 64, 0, AI_POOL_MEAN,
	true},
};

#define N_MODELS (int) (sizeof(models) / sizeof(models[0]))

/* Skip the test where there are no models. */
static void
need_models(void)
{
	if (access(MODELS "minilm/made_from", R_OK) == 0 && access(MODELS "random/made_from", R_OK) == 0)
		return;
	if (getenv("CI") != NULL)
		fail_msg("there are no models in " MODELS);
	print_message("there are no models in " MODELS "; \"make models\" makes them\n");
	skip();
}

static void
check_model(const AiEncoderConfig *config, int m)
{
	assert_int_equal(config->family, models[m].family);
	assert_int_equal(config->answer, models[m].answer);
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
	need_models();
	for (int m = 0; m < N_MODELS; m++)
	{
		AiCheckpoint checkpoint;
		AiEncoderConfig config;
		double		sum;
		double		packed_sum;

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
	need_models();
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

/*
 * Answers
 */
enum
{
	MAX_TEXTS = 32,
	MAX_OUT = 384,
	N_MESSAGES = 300,
	N_SIMILARITIES = 2000
};

/* A text of a golden file, and what is expected of it; see make_golden.py */
typedef struct Golden
{
	char	   *bytes;			/* of an input: the text, and of pairs a 0 and the second one */
	size_t		text_len;
	size_t		len;
	bool		is_pair;
	size_t		n_ids;
	int32_t    *id;
	uint8_t    *type;
	size_t		n_out;
	double		out[MAX_OUT];
} Golden;

/* The number behind a name */
static long
golden_count(FILE *file, const char *name)
{
	char		word[16];
	long		n;

	assert_int_equal(fscanf(file, "%15s %ld", word, &n), 2);
	assert_string_equal(word, name);
	return n;
}

/* Append n bytes that begin a line. */
static void
golden_bytes(Golden *g, FILE *file, long n)
{
	g->bytes = realloc(g->bytes, g->len + (size_t) n + 1);
	assert_int_equal(fgetc(file), '\n');
	assert_int_equal(fread(g->bytes + g->len, 1, (size_t) n, file), n);
	g->len += (size_t) n;
	g->bytes[g->len] = '\0';
}

static void
read_golden(Golden *g, FILE *file)
{
	long		n;

	golden_bytes(g, file, golden_count(file, "text"));
	g->text_len = g->len;
	n = golden_count(file, "pair");
	g->is_pair = n >= 0;
	if (g->is_pair)
	{
		g->len++;
		golden_bytes(g, file, n);
	}
	g->n_ids = (size_t) golden_count(file, "ids");
	g->id = calloc(g->n_ids + 1, sizeof(int32_t));
	g->type = calloc(g->n_ids + 1, 1);
	for (size_t i = 0; i < g->n_ids; i++)
		g->id[i] = (int32_t) golden_number(file);
	assert_int_equal(golden_count(file, "types"), g->n_ids);
	for (size_t i = 0; i < g->n_ids; i++)
		g->type[i] = (uint8_t) golden_number(file);
	g->n_out = (size_t) golden_count(file, "out");
	assert_true(g->n_out <= MAX_OUT);
	golden_doubles(file, g->out, g->n_out);
}

static size_t
read_goldens(Golden *goldens, const char *name)
{
	char		path[200];
	const char *base = strrchr(name, '/');
	FILE	   *file;
	size_t		n;

	snprintf(path, sizeof(path), GOLDEN "%s.txt", base == NULL ? name : base + 1);
	file = golden_open(path);
	n = (size_t) golden_count(file, "texts");
	assert_true(n <= MAX_TEXTS);
	memset(goldens, 0, n * sizeof(Golden));
	for (size_t i = 0; i < n; i++)
		read_golden(&goldens[i], file);
	fclose(file);
	return n;
}

static void
free_goldens(Golden *goldens, size_t n)
{
	for (size_t i = 0; i < n; i++)
	{
		free(goldens[i].bytes);
		free(goldens[i].id);
		free(goldens[i].type);
	}
}

/* From a folder to an encoder that is ready to run */
typedef struct Model
{
	AiAimWriter writer;
	AiEncoder  *encoder;
	AiEncoderReader *reader;
} Model;

static void
open_model(Model *model, const char *name, AiPrecision precision)
{
	AiCheckpoint checkpoint;
	Folder		folder = {.n = 0};
	char		path[200];
	const void *bytes;
	size_t		size;
	AiError		err;

	snprintf(path, sizeof(path), MODELS "%s", name);
	ai_checkpoint_init(&checkpoint, ai_malloc_host());
	ai_aim_writer_init(&model->writer, ai_malloc_host(), AI_ENCODER_KIND);
	add_folder(&checkpoint, &folder, path, "");
	if (ai_checkpoint_open(&checkpoint, &err) != AI_OK ||
		ai_encoder_import(&model->writer, &bytes, &size, &checkpoint, precision, &err) != AI_OK ||
		ai_encoder_open(&model->encoder, ai_malloc_host(), bytes, size, &err) != AI_OK ||
		ai_encoder_reader_create(&model->reader, ai_malloc_host(), model->encoder, &err) != AI_OK)
		fail_msg("%s: %s", name, err.message);
	ai_checkpoint_free(&checkpoint);
	close_sources(&folder);
}

static void
close_model(Model *model)
{
	ai_encoder_reader_destroy(model->reader);
	ai_encoder_close(model->encoder);
	ai_aim_writer_free(&model->writer);
}

/* answers:[n, n_outputs], in the order of the inputs */
static void
run_model(const Model *model, const AiRequest *request, AiInput *input, size_t n, float *answers)
{
	size_t		n_out = ai_encoder_n_outputs(model->encoder);
	float	   *room = calloc(n * n_out + 1, sizeof(float));
	AiInputs	inputs;
	AiEncoderCounts counts;

	assert_int_equal(ai_inputs_init(&inputs, input, n, ai_malloc_host(), NULL), AI_OK);
	assert_int_equal(ai_encoder_batch_run(&inputs, model->encoder, request, &model->reader, room,
										  &counts, 1, NULL, NULL), AI_OK);
	for (size_t i = 0; i < n; i++)
	{
		assert_int_equal(input[input[i].same_as].code, AI_OK);
		memcpy(answers + i * n_out, input[input[i].same_as].answer, n_out * sizeof(float));
	}
	ai_inputs_free(&inputs);
	free(room);
}

/* Tokens are those of the reference, wherever the texts of a pair are cut. */
static void
check_tokens(const Model *model, const Golden *g, const char *name)
{
	const AiEncoderShape *shape = ai_encoder_shape(model->encoder);
	AiTokenizerScratch *scratch;
	size_t		prompt_len;
	const char *prompt = ai_encoder_prompt(model->encoder, &prompt_len);
	char	   *text = calloc(prompt_len + g->text_len + 1, 1);
	AiTokenizeInput input = {.text = text, .len = prompt_len + g->text_len};
	AiTokenizeOptions options = {
		.adds_special = shape->n_layers > 0, .max_tokens = (size_t) shape->max_tokens
	};
	AiTokens	tokens;

	if (prompt_len > 0)
		memcpy(text, prompt, prompt_len);
	memcpy(text + prompt_len, g->bytes, g->text_len);
	if (g->is_pair)
	{
		input.pair = g->bytes + g->text_len + 1;
		input.pair_len = g->len - g->text_len - 1;
	}
	ai_tokenizer_scratch_create(&scratch, ai_malloc_host(), NULL);
	assert_int_equal(ai_tokenize(ai_encoder_tokenizer(model->encoder), scratch, &input, &options,
								 &tokens, NULL), AI_OK);
	/* of inference the first text alone is cut, which the answers tell */
	if (!tokens.is_truncated || !g->is_pair)
	{
		if (tokens.n != g->n_ids)
			fail_msg("%s: \"%.60s\" has %zu tokens instead of %zu", name, g->bytes, tokens.n, g->n_ids);
		for (size_t i = 0; i < tokens.n; i++)
		{
			if (tokens.id[i] != g->id[i] || (shape->n_types > 1 && tokens.type[i] != g->type[i]))
				fail_msg("%s: token %zu of \"%.60s\" is another one", name, i, g->bytes);
		}
	}
	ai_tokenizer_scratch_destroy(scratch);
	free(text);
}

/* How far fp32 may be from double precision */
static double
tolerance_of(const AiEncoderShape *shape)
{
	return shape->answer != AI_ANSWER_EMBEDDING ? 1e-4 :
		shape->pooling == AI_POOL_MEAN_SQRT ? 1e-5 : 2e-6;
}

static void
check_answers(const Model *model, const Golden *goldens, size_t n, bool is_pair, const char *name)
{
	AiRequest	request = {.is_pair = is_pair, .is_raw = true};
	size_t		n_out = ai_encoder_n_outputs(model->encoder);
	double		tolerance = tolerance_of(ai_encoder_shape(model->encoder));
	const Golden *expected[MAX_TEXTS];
	AiInput		input[MAX_TEXTS];
	float	   *answers = calloc(MAX_TEXTS * n_out, sizeof(float));
	size_t		n_inputs = 0;

	for (size_t i = 0; i < n; i++)
	{
		if (goldens[i].is_pair != is_pair)
			continue;
		assert_int_equal(goldens[i].n_out, n_out);
		input[n_inputs] = (AiInput) {.bytes = goldens[i].bytes, .len = goldens[i].len};
		expected[n_inputs++] = &goldens[i];
	}
	run_model(model, &request, input, n_inputs, answers);
	for (size_t i = 0; i < n_inputs; i++)
	{
		for (size_t j = 0; j < n_out; j++)
		{
			double		ours = (double) answers[i * n_out + j];

			if (!(fabs(ours - expected[i]->out[j]) <= tolerance))
				fail_msg("%s: \"%.60s\", number %zu is %.9g instead of %.9g", name,
						 expected[i]->bytes, j, ours, expected[i]->out[j]);
		}
	}
	free(answers);
}

/* each model answers as the reference does in double precision */
static void
test_answers(void **state)
{
	Golden		goldens[MAX_TEXTS];

	(void) state;
	need_models();
	for (int m = 0; m < N_MODELS; m++)
	{
		Model		model;
		size_t		n = read_goldens(goldens, models[m].name);

		open_model(&model, models[m].name, AI_PRECISION_FP32);
		for (size_t i = 0; i < n; i++)
			check_tokens(&model, &goldens[i], models[m].name);
		check_answers(&model, goldens, n, false, models[m].name);
		check_answers(&model, goldens, n, true, models[m].name);
		close_model(&model);
		free_goldens(goldens, n);
	}
}

/*
 * Precisions
 */
static double
dot(const float *a, const float *b, size_t n)
{
	double		sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += (double) a[i] * (double) b[i];
	return sum;
}

/* The first messages of test/data/sms.tsv, label and tab before each; their text is kept. */
static void
read_messages(AiInput input[N_MESSAGES])
{
	FILE	   *file = fopen("test/data/sms.tsv", "r");
	char		line[2000];

	if (file == NULL)
		fail_msg("cannot open test/data/sms.tsv");
	for (int i = 0; i < N_MESSAGES; i++)
	{
		char	   *tab;

		assert_non_null(fgets(line, sizeof(line), file));
		tab = strchr(line, '\t');
		assert_non_null(tab);
		input[i] = (AiInput) {.bytes = strdup(tab + 1), .len = strcspn(tab + 1, "\n")};
	}
	fclose(file);
}

typedef struct Ranked
{
	double		value;
	int			number;
} Ranked;

static int
compare_values(const void *a, const void *b)
{
	const Ranked *x = a;
	const Ranked *y = b;

	return (x->value > y->value) - (x->value < y->value);
}

/* rank:[N_SIMILARITIES] of the similarities of pairs of messages */
static void
rank_similarities(double *rank, const float *answers, size_t n_out)
{
	static Ranked ranked[N_SIMILARITIES];
	AiRng		rng = {7};

	for (int i = 0; i < N_SIMILARITIES; i++)
	{
		size_t		a = ai_rng_below(&rng, N_MESSAGES);
		size_t		b = ai_rng_below(&rng, N_MESSAGES - 1);

		b += b >= a;
		ranked[i] = (Ranked) {dot(answers + a * n_out, answers + b * n_out, n_out), i};
	}
	qsort(ranked, N_SIMILARITIES, sizeof(Ranked), compare_values);
	for (int i = 0; i < N_SIMILARITIES; i++)
		rank[ranked[i].number] = i;
}

static double
rank_correlation(const float *ours, const float *exact, size_t n_out)
{
	static double a[N_SIMILARITIES];
	static double b[N_SIMILARITIES];
	double		n = N_SIMILARITIES;
	double		squares = 0;

	rank_similarities(a, ours, n_out);
	rank_similarities(b, exact, n_out);
	for (int i = 0; i < N_SIMILARITIES; i++)
		squares += (a[i] - b[i]) * (a[i] - b[i]);
	return 1 - 6 * squares / (n * (n * n - 1));
}

/* MiniLM's embeddings are of length 1 */
static void
check_precision(AiPrecision precision, AiInput *messages, const float *exact)
{
	static float answers[N_MESSAGES * MAX_OUT];
	Golden		goldens[MAX_TEXTS];
	AiInput		input[MAX_TEXTS];
	Model		model;
	size_t		n = read_goldens(goldens, "minilm");
	double		sum = 0;
	double		least = 1;

	open_model(&model, "minilm", precision);
	for (size_t i = 0; i < n; i++)
		input[i] = (AiInput) {.bytes = goldens[i].bytes, .len = goldens[i].len};
	run_model(&model, NULL, input, n, answers);
	for (size_t i = 0; i < n; i++)
	{
		double		cosine = 0;

		for (size_t j = 0; j < MAX_OUT; j++)
			cosine += (double) answers[i * MAX_OUT + j] * goldens[i].out[j];
		sum += cosine;
		least = cosine < least ? cosine : least;
	}
	run_model(&model, NULL, messages, N_MESSAGES, answers);
	print_message("%s: cosine %.6f on average, %.6f at least; rank correlation %.6f\n",
				  ai_precision_name(precision), sum / (double) n, least,
				  rank_correlation(answers, exact, MAX_OUT));
	assert_true(least >= (precision == AI_PRECISION_BF16 ? 0.9999 : 0));
	assert_true(sum / (double) n >= 0.995);
	assert_true(rank_correlation(answers, exact, MAX_OUT) >= 0.998);
	close_model(&model);
	free_goldens(goldens, n);
}

/* MiniLM in fewer bits stays close to the reference, and sorts pairs of messages alike */
static void
test_precisions(void **state)
{
	static float exact[N_MESSAGES * MAX_OUT];
	AiInput		messages[N_MESSAGES];
	Model		model;

	(void) state;
	need_models();
#ifdef AI_ASSERT_CHECKING
	/* it would take half a minute; test_encoder.c has all precisions */
	skip();
#endif
	read_messages(messages);
	open_model(&model, "minilm", AI_PRECISION_FP32);
	run_model(&model, NULL, messages, N_MESSAGES, exact);
	close_model(&model);
	check_precision(AI_PRECISION_BF16, messages, exact);
	check_precision(AI_PRECISION_INT8, messages, exact);
	for (int i = 0; i < N_MESSAGES; i++)
		free((void *) messages[i].bytes);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_models),
		cmocka_unit_test(test_lineage),
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_precisions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
