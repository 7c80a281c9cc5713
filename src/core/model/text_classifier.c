/*-------------------------------------------------------------------------
 * text_classifier.c
 *		Applying a text classifier.
 *
 * The n-grams of a text are looked up as they are read; what the model knows
 * is counted by feature number, in the order of first places.  That order, the
 * values and the sums are those of training, so a text scores now as it did
 * when the model was measured.
 *-------------------------------------------------------------------------
 */
#include "core/model/text_classifier.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/classic/calibrate.h"
#include "core/model/text_model.h"

#define PREFETCH_AHEAD 16		/* table look-ups in flight */

struct AiTextClassifier
{
	const AiHost *host;			/* borrowed */
	AiNgramOptions options;
	AiAimStrings labels;
	int			n_labels;
	int64_t		n_features;
	AiTextTable table;
	AiTextDamping damping;
	AiTextIdf	idf;
	AiLinearModel linear;		/* into the block, never written */

	int64_t		n_strongest;
	const int32_t *strongest;	/* [n_strongest, 3] */
	const double *strongest_weight;
	AiAimStrings strongest_feature;
};

struct AiTextScratch
{
	const AiHost *host;			/* borrowed */
	const AiTextClassifier *model;	/* borrowed */
	AiNgramReader *reader;
	AiNgramReader *span_reader; /* made when something is to be explained */
	uint8_t    *count;			/* [1 + n_features] by number; zero between texts */
	uint32_t   *number;			/* [AI_NGRAM_MAX_PORTION] of the n-grams in work */

	/* The features of the text in work, in the order of first places */
	size_t		n;
	size_t		capacity;
	uint32_t   *feature;		/* [capacity] */
	uint8_t    *kind;			/* [capacity] */
	uint8_t    *times;			/* [capacity] counts, capped as in training */
	float	   *value;			/* [capacity] */
	AiNgramSpan *span;			/* [capacity], for explaining */
	uint32_t   *occurrences;	/* [n_features], for explaining: exact counts */

	float	   *logit;			/* [width] */
	double	   *probability;	/* [n_labels] */
	AiBuf		contributions;	/* of AiTextContribution */
	AiBuf		strings;
};

/*
 * Opening
 */
/* Some bucket must not be full, or a search might not end. */
static AiCode
check_table(const AiTextClassifier *model, AiError *err)
{
	const AiTextTable *table = &model->table;
	bool		has_end = false;

	for (uint32_t b = 0; b < table->n_buckets; b++)
	{
		for (int i = 0; i < AI_TEXT_BUCKET_SIZE; i++)
		{
			if (table->buckets[b].number[i] > model->n_features)
				return ai_fail(err, AI_ERR_FORMAT,
							   "invalid text model: an n-gram is feature %u of %lld",
							   table->buckets[b].number[i], (long long) model->n_features);
		}
		has_end |= table->buckets[b].number[AI_TEXT_BUCKET_SIZE - 1] == 0;
	}
	if (!has_end)
		return ai_fail(err, AI_ERR_FORMAT, "invalid text model: every bucket is full");
	return AI_OK;
}

static AiCode
check_options(AiNgramOptions *options, const int64_t *stored, AiError *err)
{
	if (stored[0] < 0 || stored[0] > AI_NGRAM_MAX_WORDS ||
		stored[2] < 0 || stored[2] > AI_NGRAM_MAX_CHARS ||
		stored[1] < 1 || (stored[2] > 0 && stored[1] > stored[2]) ||
		stored[3] < 0 || stored[3] > 1 || stored[4] < 0 || stored[4] > 1)
		return ai_fail(err, AI_ERR_FORMAT, "invalid text model: options out of range");
	*options = (AiNgramOptions) {
		.word_max = (int) stored[0], .char_min = (int) stored[1],
		.char_max = (int) stored[2], .has_shapes = stored[3] != 0,
		.fold_case = stored[4] != 0
	};
	return AI_OK;
}

/* Numbers within this range, and no others, have finite sums in every text. */
#define MAX_NUMBER 1e30f

static AiCode
check_numbers(const float *x, int64_t n, const char *name, AiError *err)
{
	for (int64_t i = 0; i < n; i++)
	{
		if (!(fabsf(x[i]) <= MAX_NUMBER))
			return ai_fail(err, AI_ERR_FORMAT, "invalid text model: \"%s\" holds %g", name,
						   (double) x[i]);
	}
	return AI_OK;
}

static AiCode
read_strongest(AiTextClassifier *model, const AiAim *aim, AiError *err)
{
	int64_t		dims[2];
	const void *data;

	AI_TRY(ai_aim_array(aim, &data, dims, "strongest", AI_DTYPE_I32, 2, err));
	model->strongest = data;
	model->n_strongest = dims[0];
	AI_TRY(ai_aim_shaped_array(aim, &data, "strongest.weight", AI_DTYPE_F64, 1, dims, err));
	model->strongest_weight = data;
	AI_TRY(ai_aim_strings(aim, &model->strongest_feature, "strongest.feature", err));
	if (dims[1] != 3 || model->strongest_feature.n != model->n_strongest)
		return ai_fail(err, AI_ERR_FORMAT, "invalid text model: \"strongest\" has a wrong size");
	for (int64_t i = 0; i < model->n_strongest; i++)
	{
		const int32_t *item = model->strongest + 3 * i;

		if (item[0] < 0 || item[0] >= model->n_labels ||
			item[1] < 0 || item[1] >= AI_NGRAM_N_KINDS)
			return ai_fail(err, AI_ERR_FORMAT, "invalid text model: \"strongest\" out of range");
	}
	return AI_OK;
}

static AiCode
read_block(AiTextClassifier *model, const void *bytes, size_t size, AiError *err)
{
	AiAim		aim;
	int64_t		dims[3];
	int64_t		five = 5;
	int64_t		version;
	const void *data;

	AI_TRY(ai_aim_open(&aim, bytes, size, err));
	AI_TRY(ai_aim_check_kind(&aim, AI_TEXT_CLASSIFIER_KIND, err));
	AI_TRY(ai_aim_i64(&aim, &version, "version", 1, INT64_MAX, err));
	if (version > AI_NGRAM_VERSION)
	{
		ai_fail(err, AI_ERR_UNSUPPORTED,
				"text features of version %lld are newer than this server's (%d)",
				(long long) version, AI_NGRAM_VERSION);
		ai_hint(err, "Update aiaas.");
		return AI_ERR_UNSUPPORTED;
	}
	AI_TRY(ai_aim_shaped_array(&aim, &data, "options", AI_DTYPE_I64, 1, &five, err));
	AI_TRY(check_options(&model->options, data, err));
	AI_TRY(ai_aim_strings(&aim, &model->labels, "labels", err));
	if (model->labels.n < 2 || model->labels.n > AI_TEXT_MAX_LABELS)
		return ai_fail(err, AI_ERR_FORMAT, "invalid text model: %lld labels",
					   (long long) model->labels.n);
	model->n_labels = (int) model->labels.n;
	model->linear.n_cols = ai_linear_n_cols(model->n_labels);
	model->linear.width = ai_linear_width(model->n_labels);

	AI_TRY(ai_aim_array(&aim, &data, dims, "idf.code", AI_DTYPE_U8, 1, err));
	model->n_features = dims[0];
	model->idf.code = data;
	AI_TRY(ai_aim_shaped_array(&aim, &data, "idf", AI_DTYPE_F32, 1,
							   (int64_t[]) {AI_TEXT_N_IDF}, err));
	model->idf.of = data;
	AI_TRY(check_numbers(model->idf.of, AI_TEXT_N_IDF, "idf", err));
	AI_TRY(ai_aim_array(&aim, &data, dims, "table", AI_DTYPE_U32, 3, err));
	if (dims[0] < 1 || dims[0] > UINT32_MAX || dims[1] != 2 || dims[2] != AI_TEXT_BUCKET_SIZE)
		return ai_fail(err, AI_ERR_FORMAT, "invalid text model: \"table\" has a wrong size");
	model->table = (AiTextTable) {data, (uint32_t) dims[0]};
	AI_TRY(check_table(model, err));

	dims[0] = model->n_features;
	dims[1] = model->linear.width;
	AI_TRY(ai_aim_shaped_array(&aim, &data, "weight", AI_DTYPE_F32, 2, dims, err));
	model->linear.weight = (float *) data;
	AI_TRY(check_numbers(data, dims[0] * dims[1], "weight", err));
	AI_TRY(ai_aim_shaped_array(&aim, &data, "intercept", AI_DTYPE_F32, 1, dims + 1, err));
	model->linear.intercept = (float *) data;
	AI_TRY(check_numbers(data, dims[1], "intercept", err));
	return read_strongest(model, &aim, err);
}

AiCode
ai_text_classifier_open(AiTextClassifier **model, const AiHost *host,
						const void *bytes, size_t size, AiError *err)
{
	AiTextClassifier *m = ai_host_alloc(host, sizeof(AiTextClassifier));
	AiCode		code;

	if (m == NULL)
		return ai_out_of_memory(err, sizeof(AiTextClassifier), "a model");
	*m = (AiTextClassifier) {.host = host};
	ai_text_damping_init(&m->damping);
	code = read_block(m, bytes, size, err);
	if (code != AI_OK)
	{
		ai_host_release(host, m);
		return code;
	}
	*model = m;
	return AI_OK;
}

void
ai_text_classifier_close(AiTextClassifier *model)
{
	if (model != NULL)
		ai_host_release(model->host, model);
}

int
ai_text_classifier_n_labels(const AiTextClassifier *model)
{
	return model->n_labels;
}

const char *
ai_text_classifier_label(const AiTextClassifier *model, int index, size_t *len)
{
	return ai_aim_string(&model->labels, index, len);
}

int
ai_text_classifier_find_label(const AiTextClassifier *model, const char *label, size_t len)
{
	for (int i = 0; i < model->n_labels; i++)
	{
		size_t		this_len;
		const char *this = ai_aim_string(&model->labels, i, &this_len);

		if (this_len == len && memcmp(this, label, len) == 0)
			return i;
	}
	return -1;
}

int64_t
ai_text_classifier_n_features(const AiTextClassifier *model)
{
	return model->n_features;
}

/*
 * Scratch
 */
AiCode
ai_text_scratch_create(AiTextScratch **scratch, const AiTextClassifier *model,
					   const AiHost *host, AiError *err)
{
	AiTextScratch *s = ai_host_alloc(host, sizeof(AiTextScratch));
	AiCode		code;

	if (s == NULL)
		return ai_out_of_memory(err, sizeof(AiTextScratch), "scratch");
	*s = (AiTextScratch) {.host = host, .model = model};
	ai_buf_init(&s->contributions, host);
	ai_buf_init(&s->strings, host);
	s->count = ai_host_alloc(host, (size_t) model->n_features + 1);
	s->number = ai_host_alloc(host, AI_NGRAM_MAX_PORTION * sizeof(uint32_t));
	s->logit = ai_host_alloc(host, (size_t) model->linear.width * sizeof(float));
	s->probability = ai_host_alloc(host, (size_t) model->n_labels * sizeof(double));
	if (s->count == NULL || s->number == NULL || s->logit == NULL || s->probability == NULL)
		code = ai_out_of_memory(err, (size_t) model->n_features, "scratch");
	else
		code = ai_ngram_reader_create(&s->reader, host, &model->options, false, err);
	if (code != AI_OK)
	{
		ai_text_scratch_destroy(s);
		return code;
	}
	memset(s->count, 0, (size_t) model->n_features + 1);
	*scratch = s;
	return AI_OK;
}

static void
release_lists(AiTextScratch *s)
{
	ai_host_release(s->host, s->feature);
	ai_host_release(s->host, s->kind);
	ai_host_release(s->host, s->times);
	ai_host_release(s->host, s->value);
	ai_host_release(s->host, s->span);
}

void
ai_text_scratch_destroy(AiTextScratch *s)
{
	if (s == NULL)
		return;
	release_lists(s);
	ai_host_release(s->host, s->occurrences);
	ai_host_release(s->host, s->count);
	ai_host_release(s->host, s->number);
	ai_host_release(s->host, s->logit);
	ai_host_release(s->host, s->probability);
	ai_ngram_reader_destroy(s->reader);
	ai_ngram_reader_destroy(s->span_reader);
	ai_buf_free(&s->contributions);
	ai_buf_free(&s->strings);
	ai_host_release(s->host, s);
}

/* Lists for n features; their contents are kept. */
static AiCode
grow_lists(AiTextScratch *s, size_t n, AiError *err)
{
	AiTextScratch grown = *s;

	grown.capacity = s->capacity * 2 > n ? s->capacity * 2 : n;
	grown.feature = ai_host_alloc(s->host, grown.capacity * sizeof(uint32_t));
	grown.kind = ai_host_alloc(s->host, grown.capacity);
	grown.times = ai_host_alloc(s->host, grown.capacity);
	grown.value = ai_host_alloc(s->host, grown.capacity * sizeof(float));
	grown.span = ai_host_alloc(s->host, grown.capacity * sizeof(AiNgramSpan));
	if (grown.feature == NULL || grown.kind == NULL || grown.times == NULL ||
		grown.value == NULL || grown.span == NULL)
	{
		release_lists(&grown);
		return ai_out_of_memory(err, grown.capacity * 26, "the features of a text");
	}
	if (s->n > 0)
	{
		memcpy(grown.feature, s->feature, s->n * sizeof(uint32_t));
		memcpy(grown.kind, s->kind, s->n);
		memcpy(grown.span, s->span, s->n * sizeof(AiNgramSpan));
	}
	release_lists(s);
	*s = grown;
	return AI_OK;
}

/*
 * Reading a text
 */
/*
 * What a text needs lies anywhere in a model of megabytes, so each step asks for
 * the memory of the next some n-grams ahead: the bucket, then the count, then
 * idf and weights for when the text has been read.
 */
static void
find_numbers(AiTextScratch *s, const uint64_t *hash, size_t n)
{
	const AiTextTable table = s->model->table;
	const uint8_t *count = s->count;
	uint32_t   *number = s->number;

	for (size_t i = 0; i < n; i++)
	{
		if (i + PREFETCH_AHEAD < n)
			__builtin_prefetch(&table.buckets[ai_text_bucket_of(hash[i + PREFETCH_AHEAD],
																table.n_buckets)]);
		number[i] = ai_text_table_find(&table, hash[i]);
		__builtin_prefetch(&count[number[i]], 1);
	}
}

/* Local pointers: a store to a byte could change any field of s. */
static void
count_known(AiTextScratch *s, const uint64_t *hash, const AiNgramSpan *span, size_t n)
{
	const uint8_t *idf_code = s->model->idf.code;
	const float *weight = s->model->linear.weight;
	size_t		width = (size_t) s->model->linear.width;
	const uint32_t *numbers = s->number;
	uint8_t    *restrict count = s->count;
	uint32_t   *restrict feature = s->feature;
	uint8_t    *restrict kind = s->kind;
	size_t		n_features = s->n;

	find_numbers(s, hash, n);
	for (size_t i = 0; i < n; i++)
	{
		uint32_t	number = numbers[i];
		unsigned	times = count[number];

		if (number == 0)
			continue;
		if (span != NULL)
			s->occurrences[number - 1]++;
		count[number] = (uint8_t) (times + (times < 255));
		if (times > 0)
			continue;
		__builtin_prefetch(&idf_code[number - 1]);
		__builtin_prefetch(&weight[(number - 1) * width]);
		feature[n_features] = number - 1;
		kind[n_features] = (uint8_t) AI_NGRAM_KIND(hash[i]);
		if (span != NULL)
			s->span[n_features] = span[i];
		n_features++;
	}
	s->n = n_features;
}

/* Counts go from the table of all features into the list, which zeroes them. */
static void
collect_counts(AiTextScratch *s)
{
	for (size_t i = 0; i < s->n; i++)
	{
		uint8_t    *count = &s->count[s->feature[i] + 1];

		s->times[i] = *count;
		*count = 0;
	}
}

static AiCode
read_text(AiTextScratch *s, AiNgramReader *reader, const char *text, size_t len, AiError *err)
{
	const uint64_t *hash;
	const AiNgramSpan *span;
	AiCode		code = AI_OK;
	size_t		n;
	bool		is_first = true;

	s->n = 0;
	ai_ngram_reader_start(reader, text, len);
	while (code == AI_OK && (n = ai_ngram_reader_next(reader, &hash, &span)) > 0)
	{
		if (!is_first && ai_host_should_stop(s->host))
			code = ai_fail(err, AI_ERR_CANCELLED, "cancelled");
		else if (s->n + n > s->capacity)
			code = grow_lists(s, s->n + n, err);
		if (code == AI_OK)
			count_known(s, hash, span, n);
		is_first = false;
	}
	collect_counts(s);
	if (code == AI_OK)
		ai_text_values(s->value, s->feature, s->kind, s->times, s->n, &s->model->idf,
					   &s->model->damping);
	return code;
}

static AiSparseRow
text_row(const AiTextScratch *s)
{
	return (AiSparseRow) {.index = s->feature, .value = s->value, .n = (uint32_t) s->n};
}

AiCode
ai_text_classifier_run(const AiTextClassifier *model, AiTextScratch *scratch,
					   double *probability, int *best,
					   const char *text, size_t text_len, AiError *err)
{
	AiSparseRow row;

	AI_TRY(read_text(scratch, scratch->reader, text, text_len, err));
	row = text_row(scratch);
	ai_linear_scores(scratch->logit, &model->linear, &row);
	if (best != NULL)
		*best = ai_linear_best(scratch->logit, model->n_labels);
	if (probability != NULL)
		ai_probabilities(probability, scratch->logit, model->n_labels);
	return AI_OK;
}

/*
 * Explaining
 */
static const char *const kind_names[AI_NGRAM_N_KINDS] = {"word", "characters", "shape"};

/* One weight of a feature for the label; see text_classifier.h on two labels */
static inline double
weight_for(const AiTextClassifier *model, const float *weights, int label)
{
	if (model->linear.n_cols == 1)
		return label == 1 ? weights[0] : -(double) weights[0];
	return weights[label];
}

/* The n-gram as it stands in the text; a space stands for an end of a word. */
static AiCode
append_feature(AiBuf *strings, AiTextContribution *item, const AiNgramSpan *span,
			   const char *text, AiError *err)
{
	size_t		first = strings->len;

	if (span->at_start)
		AI_TRY(ai_buf_append(strings, " ", 1, err));
	AI_TRY(ai_buf_append(strings, text + span->start, span->end - span->start, err));
	if (span->at_end)
		AI_TRY(ai_buf_append(strings, " ", 1, err));
	item->feature = (const char *) first;	/* an offset, until strings has all */
	item->feature_len = strings->len - first;
	return AI_OK;
}

static int
compare_contributions(const void *a, const void *b)
{
	const AiTextContribution *x = a;
	const AiTextContribution *y = b;
	double		size_x = fabs(x->contribution);
	double		size_y = fabs(y->contribution);

	if (size_x != size_y)
		return size_x > size_y ? -1 : 1;
	return x->feature < y->feature ? -1 : x->feature > y->feature;
}

static AiCode
make_contributions(AiTextScratch *s, int label, const char *text, AiError *err)
{
	const AiTextClassifier *model = s->model;
	AiTextContribution *item;

	s->contributions.len = 0;
	s->strings.len = 0;
	AI_TRY(ai_buf_reserve(&s->contributions, (s->n + 1) * sizeof(AiTextContribution), err));
	AI_TRY(ai_buf_reserve(&s->strings, 1, err));
	item = (AiTextContribution *) s->contributions.data;
	*item = (AiTextContribution) {
		.kind = "intercept", .value = 1,
		.contribution = weight_for(model, model->linear.intercept, label)
	};
	for (size_t i = 0; i < s->n; i++)
	{
		const float *weights = model->linear.weight +
			(size_t) s->feature[i] * model->linear.width;

		item++;
		*item = (AiTextContribution) {
			.kind = kind_names[s->kind[i]],
			.count = s->occurrences[s->feature[i]],
			.value = s->value[i],
			.contribution = s->value[i] * weight_for(model, weights, label)
		};
		AI_TRY(append_feature(&s->strings, item, &s->span[i], text, err));
	}
	s->contributions.len = (s->n + 1) * sizeof(AiTextContribution);
	item = (AiTextContribution *) s->contributions.data;
	for (size_t i = 0; i <= s->n; i++)
		item[i].feature = (const char *) s->strings.data + (size_t) item[i].feature;
	qsort(item + 1, s->n, sizeof(AiTextContribution), compare_contributions);
	return AI_OK;
}

AiCode
ai_text_classifier_explain(const AiTextClassifier *model, AiTextScratch *s,
						   const AiTextContribution **contributions,
						   int64_t *n_contributions, int label,
						   const char *text, size_t text_len, AiError *err)
{
	if (s->span_reader == NULL)
		AI_TRY(ai_ngram_reader_create(&s->span_reader, s->host, &model->options, true, err));
	if (s->occurrences == NULL)
	{
		size_t		size = (size_t) model->n_features * sizeof(uint32_t);

		s->occurrences = ai_host_alloc(s->host, size);
		if (s->occurrences == NULL)
			return ai_out_of_memory(err, size, "an explanation");
	}
	memset(s->occurrences, 0, (size_t) model->n_features * sizeof(uint32_t));
	AI_TRY(read_text(s, s->span_reader, text, text_len, err));
	AI_TRY(make_contributions(s, label, text, err));
	*contributions = (const AiTextContribution *) s->contributions.data;
	*n_contributions = (int64_t) s->n + 1;
	return AI_OK;
}

int64_t
ai_text_classifier_n_importances(const AiTextClassifier *model)
{
	return model->n_strongest;
}

AiTextImportance
ai_text_classifier_importance(const AiTextClassifier *model, int64_t index)
{
	const int32_t *item = model->strongest + 3 * index;
	AiTextImportance result = {
		.label = item[0], .kind = kind_names[item[1]], .n_rows = item[2],
		.weight = model->strongest_weight[index]
	};

	result.feature = ai_aim_string(&model->strongest_feature, index, &result.feature_len);
	return result;
}
