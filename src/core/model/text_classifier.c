/*-------------------------------------------------------------------------
 * text_classifier.c
 *		Applying a text classifier.
 *-------------------------------------------------------------------------
 */
#include "core/model/text_classifier.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/classic/calibrate.h"
#include "core/model/text_features.h"

struct AiTextClassifier
{
	const AiHost *host;			/* borrowed */
	AiAimStrings labels;
	int			n_labels;
	AiTextKnown known;
	AiLinearModel linear;		/* into the block, never written */
	const uint8_t *embedder;	/* its hash; NULL: none */

	int64_t		n_strongest;
	const int32_t *strongest;	/* [n_strongest, 3] */
	const double *strongest_weight;
	AiAimStrings strongest_feature;
};

struct AiTextScratch
{
	const AiHost *host;			/* borrowed */
	const AiTextClassifier *model;	/* borrowed */
	AiTextReader *reader;
	AiTextReader *span_reader;	/* made when something is to be explained */
	size_t		longest;		/* text so far */
	float	   *logit;			/* [width] */
	float	   *dense;			/* [n_dense] the embedding at unit length; NULL: none */
	AiBuf		contributions;	/* of AiTextContribution */
	AiBuf		strings;
};

/*
 * Opening
 */
#define ITEMS_PER_QUESTION 65536	/* whether to stop: well below a millisecond */

static inline AiCode
check_stop(const AiTextClassifier *model, int64_t i, AiError *err)
{
	if (i % ITEMS_PER_QUESTION == 0 && ai_host_should_stop(model->host))
		return ai_fail(err, AI_ERR_CANCELLED, "cancelled");
	return AI_OK;
}

/* Some bucket must not be full, or a search might not end. */
static AiCode
check_table(const AiTextClassifier *model, AiError *err)
{
	const AiTextTable *table = &model->known.table;
	bool		has_end = false;

	for (uint32_t b = 0; b < table->n_buckets; b++)
	{
		AI_TRY(check_stop(model, b, err));
		for (int i = 0; i < AI_TEXT_BUCKET_SIZE; i++)
		{
			if (table->buckets[b].number[i] > model->known.n_features)
				return ai_fail(err, AI_ERR_FORMAT,
							   "invalid text model: an n-gram is feature %u of %lld",
							   table->buckets[b].number[i], (long long) model->known.n_features);
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
check_numbers(const AiTextClassifier *model, const float *x, int64_t n, const char *name,
			  AiError *err)
{
	for (int64_t i = 0; i < n; i++)
	{
		AI_TRY(check_stop(model, i, err));
		if (!(fabsf(x[i]) <= MAX_NUMBER))
			return ai_fail(err, AI_ERR_FORMAT, "invalid text model: \"%s\" holds %g", name,
						   (double) x[i]);
	}
	return AI_OK;
}

/* By rising bytes: then a label has one number only. */
static AiCode
check_labels(const AiAimStrings *labels, AiError *err)
{
	if (labels->n < 2 || labels->n > AI_TEXT_MAX_LABELS)
		return ai_fail(err, AI_ERR_FORMAT, "invalid text model: %lld labels",
					   (long long) labels->n);
	if (!ai_aim_strings_rise(labels))
		return ai_fail(err, AI_ERR_FORMAT, "invalid text model: labels are not in order");
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
			item[1] < 0 || item[1] >= AI_NGRAM_N_KINDS ||
			!isfinite(model->strongest_weight[i]))
			return ai_fail(err, AI_ERR_FORMAT, "invalid text model: \"strongest\" out of range");
	}
	return AI_OK;
}

static AiCode
read_embedding(AiTextClassifier *model, const AiAim *aim, AiError *err)
{
	int64_t		hash_size = AI_SHA256_SIZE;
	int64_t		dims[2];
	const void *data;

	AI_TRY(ai_aim_shaped_array(aim, &data, "embedder.hash", AI_DTYPE_U8, 1, &hash_size, err));
	model->embedder = data;
	AI_TRY(ai_aim_array(aim, &data, dims, "dense.weight", AI_DTYPE_F32, 2, err));
	if (dims[0] < 1 || dims[0] > AI_TEXT_MAX_DENSE || dims[1] != model->linear.width)
		return ai_fail(err, AI_ERR_FORMAT,
					   "invalid text model: \"dense.weight\" has a wrong size");
	model->linear.n_dense = (int) dims[0];
	model->linear.dense_weight = (float *) data;
	return AI_OK;
}

static AiCode
read_block(AiTextClassifier *model, const void *bytes, size_t size, AiError *err)
{
	AiAim		aim;
	int64_t		dims[3];
	int64_t		five = 5;
	int64_t		version;
	int64_t		is_closed;
	const void *data;

	AI_TRY(ai_aim_open(&aim, bytes, size, err));
	AI_TRY(ai_aim_check_kind(&aim, AI_TEXT_CLASSIFIER_KIND, err));
	AI_TRY(ai_aim_i64(&aim, &version, "version", 1, INT64_MAX, err));
	if (version > AI_TEXT_VERSION_EMBEDDING)
	{
		ai_fail(err, AI_ERR_UNSUPPORTED,
				"text features of version %lld are newer than this server's (%d)",
				(long long) version, AI_TEXT_VERSION_EMBEDDING);
		ai_hint(err, "Update aiaas.");
		return AI_ERR_UNSUPPORTED;
	}
	AI_TRY(ai_aim_shaped_array(&aim, &data, "options", AI_DTYPE_I64, 1, &five, err));
	AI_TRY(check_options(&model->known.options, data, err));
	AI_TRY(ai_aim_i64(&aim, &is_closed, "is_closed", 0, 1, err));
	model->known.is_closed = is_closed != 0;
	AI_TRY(ai_aim_strings(&aim, &model->labels, "labels", err));
	AI_TRY(check_labels(&model->labels, err));
	model->n_labels = (int) model->labels.n;
	model->linear.n_cols = ai_linear_n_cols(model->n_labels);
	model->linear.width = ai_linear_width(model->n_labels);

	AI_TRY(ai_aim_array(&aim, &data, dims, "idf.code", AI_DTYPE_U8, 1, err));
	model->known.n_features = dims[0];
	if (dims[0] > AI_TEXT_MAX_FEATURES)
		return ai_fail(err, AI_ERR_FORMAT, "invalid text model: %lld features",
					   (long long) dims[0]);
	model->known.idf.code = data;
	AI_TRY(ai_aim_shaped_array(&aim, &data, "idf", AI_DTYPE_F32, 1,
							   (int64_t[]) {AI_TEXT_N_IDF}, err));
	model->known.idf.of = data;
	AI_TRY(check_numbers(model, model->known.idf.of, AI_TEXT_N_IDF, "idf", err));
	AI_TRY(ai_aim_array(&aim, &data, dims, "table", AI_DTYPE_U32, 3, err));
	if (dims[0] < 1 || dims[0] > UINT32_MAX || dims[1] != 2 || dims[2] != AI_TEXT_BUCKET_SIZE)
		return ai_fail(err, AI_ERR_FORMAT, "invalid text model: \"table\" has a wrong size");
	model->known.table = (AiTextTable) {
		data, (uint32_t) dims[0], (uint32_t) model->known.n_features
	};

	dims[0] = model->known.n_features;
	dims[1] = model->linear.width;
	AI_TRY(ai_aim_shaped_array(&aim, &data, "weight", AI_DTYPE_F32, 2, dims, err));
	model->linear.weight = (float *) data;
	model->known.weight = data;
	model->known.width = (size_t) model->linear.width;
	AI_TRY(ai_aim_shaped_array(&aim, &data, "intercept", AI_DTYPE_F32, 1, dims + 1, err));
	model->linear.intercept = (float *) data;
	AI_TRY(check_numbers(model, data, dims[1], "intercept", err));
	if (version == AI_TEXT_VERSION_EMBEDDING)
		AI_TRY(read_embedding(model, &aim, err));
	return read_strongest(model, &aim, err);
}

/* What takes a look at every feature */
static AiCode
check_features(const AiTextClassifier *model, AiError *err)
{
	AI_TRY(check_table(model, err));
	AI_TRY(check_numbers(model, model->linear.dense_weight,
						 (int64_t) model->linear.n_dense * model->linear.width, "dense.weight",
						 err));
	return check_numbers(model, model->linear.weight, model->known.n_features * model->linear.width,
						 "weight", err);
}

static AiCode
open_block(AiTextClassifier **model, const AiHost *host, const void *bytes, size_t size,
		   bool is_checked, AiError *err)
{
	AiTextClassifier *m = ai_host_alloc(host, sizeof(AiTextClassifier));
	AiCode		code;

	if (m == NULL)
		return ai_out_of_memory(err, sizeof(AiTextClassifier), "a model");
	*m = (AiTextClassifier) {.host = host};
	ai_text_damping_init(&m->known.damping);
	code = read_block(m, bytes, size, err);
	if (code == AI_OK && !is_checked)
		code = check_features(m, err);
	if (code != AI_OK)
	{
		ai_host_release(host, m);
		return code;
	}
	*model = m;
	return AI_OK;
}

AiCode
ai_text_classifier_open(AiTextClassifier **model, const AiHost *host, const void *bytes,
						size_t size, AiError *err)
{
	return open_block(model, host, bytes, size, false, err);
}

AiCode
ai_text_classifier_open_checked(AiTextClassifier **model, const AiHost *host, const void *bytes,
								size_t size, AiError *err)
{
	return open_block(model, host, bytes, size, true, err);
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
	return (int) ai_aim_find_string(&model->labels, label, len);
}

int64_t
ai_text_classifier_n_features(const AiTextClassifier *model)
{
	return model->known.n_features;
}

const uint8_t *
ai_text_classifier_embedder(const AiTextClassifier *model, int *n_dense)
{
	*n_dense = model->linear.n_dense;
	return model->embedder;
}

/*
 * Scratch
 */
AiCode
ai_text_scratch_create(AiTextScratch **scratch, const AiTextClassifier *model,
					   const AiHost *host, AiError *err)
{
	size_t		size = (size_t) model->linear.width * sizeof(float);
	size_t		dense_size = (size_t) model->linear.n_dense * sizeof(float);
	AiTextScratch *s = ai_host_alloc(host, sizeof(AiTextScratch));
	AiCode		code;

	if (s == NULL)
		return ai_out_of_memory(err, sizeof(AiTextScratch), "scratch");
	*s = (AiTextScratch) {.host = host, .model = model};
	ai_buf_init(&s->contributions, host);
	ai_buf_init(&s->strings, host);
	s->logit = ai_host_alloc(host, size);
	if (dense_size > 0)
		s->dense = ai_host_alloc(host, dense_size);
	if (s->logit == NULL || (dense_size > 0 && s->dense == NULL))
		code = ai_out_of_memory(err, size + dense_size, "scratch");
	else
		code = ai_text_reader_create(&s->reader, &model->known, host, false, err);
	if (code != AI_OK)
	{
		ai_text_scratch_destroy(s);
		return code;
	}
	*scratch = s;
	return AI_OK;
}

void
ai_text_scratch_destroy(AiTextScratch *s)
{
	if (s == NULL)
		return;
	ai_host_release(s->host, s->logit);
	ai_host_release(s->host, s->dense);
	ai_text_reader_destroy(s->reader);
	ai_text_reader_destroy(s->span_reader);
	ai_buf_free(&s->contributions);
	ai_buf_free(&s->strings);
	ai_host_release(s->host, s);
}

size_t
ai_text_scratch_longest(const AiTextScratch *s)
{
	return s->longest;
}

static inline void
note_length(AiTextScratch *s, size_t text_len)
{
	if (text_len > s->longest)
		s->longest = text_len;
}

AiCode
ai_text_classifier_run(const AiTextClassifier *model, AiTextScratch *scratch,
					   double *probability, int *best,
					   const char *text, size_t text_len, const float *embedding, AiError *err)
{
	static const AiTextFeatures none;
	const AiTextFeatures *features = &none;
	AiSparseRow row;

	note_length(scratch, text_len);
	if (model->known.n_features > 0)
		AI_TRY(ai_text_reader_read(scratch->reader, &features, text, text_len, err));
	row = (AiSparseRow) {
		.index = features->feature, .value = features->value, .n = (uint32_t) features->n,
		.dense = scratch->dense
	};
	if (row.dense != NULL)
		ai_text_unit(scratch->dense, embedding, (size_t) model->linear.n_dense);
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

/* The whole embedding is one feature to people: none of its numbers means anything alone. */
static AiTextContribution
embedding_contribution(const AiTextScratch *s, int label)
{
	const AiLinearModel *linear = &s->model->linear;
	AiTextContribution item = {.kind = "embedding", .count = 1};
	double		square = 0;

	for (int i = 0; i < linear->n_dense; i++)
	{
		item.contribution += s->dense[i] *
			weight_for(s->model, linear->dense_weight + (size_t) i * linear->width, label);
		square += (double) s->dense[i] * s->dense[i];
	}
	item.value = sqrt(square);
	return item;
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
make_contributions(AiTextScratch *s, const AiTextFeatures *features, int label,
				   const char *text, AiError *err)
{
	const AiTextClassifier *model = s->model;
	size_t		n = features->n;
	size_t		n_items = n + 1 + (s->dense != NULL);
	int			kind = 0;
	size_t		end_of_kind = features->n_of[0];
	AiTextContribution *item;

	s->contributions.len = 0;
	s->strings.len = 0;
	AI_TRY(ai_buf_reserve(&s->contributions, n_items * sizeof(AiTextContribution), err));
	AI_TRY(ai_buf_reserve(&s->strings, 1, err));
	item = (AiTextContribution *) s->contributions.data;
	*item = (AiTextContribution) {
		.kind = "intercept", .value = 1,
		.contribution = weight_for(model, model->linear.intercept, label)
	};
	for (size_t i = 0; i < n; i++)
	{
		const float *weights = model->linear.weight +
			(size_t) features->feature[i] * model->linear.width;

		while (i == end_of_kind)
			end_of_kind += features->n_of[++kind];
		item++;
		*item = (AiTextContribution) {
			.kind = kind_names[kind],
			.count = features->occurrences[i],
			.value = features->value[i],
			.contribution = features->value[i] * weight_for(model, weights, label)
		};
		AI_TRY(append_feature(&s->strings, item, &features->span[i], text, err));
	}
	if (s->dense != NULL)
		*++item = embedding_contribution(s, label);
	s->contributions.len = n_items * sizeof(AiTextContribution);
	item = (AiTextContribution *) s->contributions.data;
	for (size_t i = 0; i < n_items; i++)
		item[i].feature = (const char *) s->strings.data + (size_t) item[i].feature;
	qsort(item + 1, n_items - 1, sizeof(AiTextContribution), compare_contributions);
	return AI_OK;
}

AiCode
ai_text_classifier_explain(const AiTextClassifier *model, AiTextScratch *s,
						   const AiTextContribution **contributions,
						   int64_t *n_contributions, int label,
						   const char *text, size_t text_len, const float *embedding,
						   AiError *err)
{
	const AiTextFeatures *features;

	note_length(s, text_len);
	if (s->span_reader == NULL)
		AI_TRY(ai_text_reader_create(&s->span_reader, &model->known, s->host, true, err));
	AI_TRY(ai_text_reader_read(s->span_reader, &features, text, text_len, err));
	if (s->dense != NULL)
		ai_text_unit(s->dense, embedding, (size_t) model->linear.n_dense);
	AI_TRY(make_contributions(s, features, label, text, err));
	*contributions = (const AiTextContribution *) s->contributions.data;
	*n_contributions = (int64_t) (s->contributions.len / sizeof(AiTextContribution));
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
