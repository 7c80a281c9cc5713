/*-------------------------------------------------------------------------
 * text_classifier.h
 *		Learn labels from texts; label texts; say why.
 *
 * A text becomes TF-IDF weights of its word and character n-grams
 * (core/text/ngram.h), or its embedding by an encoder, or both; a linear model
 * scores every label, and the scores are calibrated into probabilities.  The
 * model is one aim block that is used where it lies.
 *
 * Texts and labels are UTF-8; bytes that are not are taken as Latin-1, so
 * every byte string has a result.
 *-------------------------------------------------------------------------
 */
#ifndef AI_TEXT_CLASSIFIER_H
#define AI_TEXT_CLASSIFIER_H

#include "core/base/host.h"
#include "core/base/progress.h"
#include "core/base/sha256.h"
#include "core/classic/metrics.h"
#include "core/model/labels.h"

#define AI_TEXT_CLASSIFIER_KIND "text_classifier"
#define AI_TEXT_MAX_LABELS 1000
#define AI_TEXT_MAX_FEATURES (1 << 26)

#define AI_TEXT_MAX_DENSE (1 << 16)

/*
 * Options
 */

/* One of two kinds of features; AUTO: if cross-validation finds the model better with it */
typedef enum AiTextUse
{
	AI_TEXT_USE_AUTO,
	AI_TEXT_USE_ALWAYS,
	AI_TEXT_USE_NEVER
} AiTextUse;

typedef struct AiTextOptions
{
	/* Features */
	int			word_ngrams;	/* longest word n-gram, 0 (none) to 5 */
	int			char_ngrams_min;	/* shortest character n-gram, 1 to max */
	int			char_ngrams_max;	/* longest, 0 (none) to 8 */
	int			min_count;		/* rows an n-gram must occur in; 0: by how many there are */
	int64_t		max_features;	/* n-grams kept at most, 2^10 to AI_TEXT_MAX_FEATURES */
	bool		lowercase;		/* fold case, and note it in word shapes */

	/* Embeddings: features besides, made by whoever trains and whoever applies the model */
	int			n_dense;		/* numbers of an embedding, up to AI_TEXT_MAX_DENSE; 0: none */
	uint8_t		embedder[AI_SHA256_SIZE];	/* SHA-256 of the embedder's content */
	AiTextUse	uses_ngrams;
	AiTextUse	uses_embeddings;

	/* Learning */
	double		validation;		/* share of rows held out, 0 to 0.5 */
	double		l2;				/* strength of the penalty, > 0; 0: chosen by cross-validation */
	AiClassWeighting class_weighting;
	const AiClassWeight *class_weights; /* borrowed until the trainer is destroyed */
	int			n_class_weights;
	uint64_t	seed;
	double		max_time;		/* seconds; then learning stops at the best so far; 0: no limit */
} AiTextOptions;

extern void ai_text_options_default(AiTextOptions *options);

/* AI_ERR_PARAM names the option, its value and its range. */
extern AiCode ai_text_options_check(const AiTextOptions *options, AiError *err);

/*
 * Training: create, add every row, fit, take the bytes and the report,
 * destroy.  The result depends on the multiset of rows, the options and the
 * seed, never on the order of rows or the number of threads.
 */
typedef struct AiTextTrainer AiTextTrainer;

typedef struct AiTextReport
{
	int64_t		n_train_rows;
	int64_t		n_validation_rows;
	int			n_labels;
	int64_t		n_features;		/* n-grams */
	bool		uses_ngrams;
	bool		uses_embeddings;
	bool		is_cross_validated; /* the validation metrics are of cross-validation */
	AiClassMetrics train;		/* of the final model on what it has learnt from */
	AiClassMetrics validation;	/* n == 0 when nothing could be held out */
	double		l2;				/* as given or as chosen */
	double		temperature;
	int			n_epochs;		/* passes of the final fit */
	bool		has_converged;	/* false: max_time or the limit of passes came first */
	size_t		peak_memory;	/* bytes */
} AiTextReport;

/*
 * max_memory bounds what the trainer holds, in bytes; the need is known
 * before learning starts, and AI_ERR_LIMIT names it.
 */
extern AiCode ai_text_trainer_create(AiTextTrainer **trainer, const AiHost *host,
									 const AiTextOptions *options, int n_threads,
									 size_t max_memory, AiError *err);

/*
 * One row.  Text and label are copied.  *is_validation says whether the row is
 * held out: that depends on the text's bytes alone, for ever.
 */
extern AiCode ai_text_trainer_add(AiTextTrainer *trainer, bool *is_validation,
								  const char *text, size_t text_len,
								  const char *label, size_t label_len,
								  AiError *err);

/*
 * Between the last row and fit, where options have n_dense: from begin on the trainer waits for
 * the embeddings of its texts, n_texts of them, from number 0 on.  n_texts is 0 where it
 * will do without: there are so many rows that n-grams are as good.  x:[n_dense] is copied, at
 * unit length.  begin fails as fit does.
 */
extern AiCode ai_text_trainer_begin_embedding(AiTextTrainer *trainer, int64_t *n_texts,
											  AiError *err);
extern const char *ai_text_trainer_text(const AiTextTrainer *trainer, int64_t number,
										size_t *len);
extern void ai_text_trainer_set_embedding(AiTextTrainer *trainer, int64_t number,
										  const float *x);

/*
 * AI_ERR_DATA when the rows cannot be learnt from: none, one label only, a
 * label with one row, more than AI_TEXT_MAX_LABELS labels, no features.
 */
extern AiCode ai_text_trainer_fit(AiTextTrainer *trainer, AiError *err);

/* A guess of how many rows there will be, for its progress */
extern void ai_text_trainer_expect(AiTextTrainer *trainer, int64_t n_rows);

/*
 * Where it is: at any time on the main thread, so also when it asks the host whether to stop.
 * The loss is that of rows which the models of the cross-validation have not seen.
 */
extern void ai_text_trainer_progress(AiTextTrainer *trainer, AiProgress *progress);

/* After fit; all borrowed, as long as the trainer lives. */
extern const AiTextReport *ai_text_trainer_report(const AiTextTrainer *trainer);
extern const void *ai_text_trainer_model(const AiTextTrainer *trainer, size_t *size);

/* Label number index of the report, 0 .. n_labels - 1, in bytewise order */
extern const char *ai_text_trainer_label(const AiTextTrainer *trainer, int index,
										 size_t *len, int64_t *n_rows);
extern void ai_text_trainer_destroy(AiTextTrainer *trainer);

/*
 * Applying: a model is opened over bytes that it borrows (64-byte aligned) and
 * never changes, so any number of threads may use it, each with a scratch of
 * its own.
 */
typedef struct AiTextClassifier AiTextClassifier;
typedef struct AiTextScratch AiTextScratch;

extern AiCode ai_text_classifier_open(AiTextClassifier **model, const AiHost *host,
									  const void *bytes, size_t size, AiError *err);

/*
 * The same for bytes that have been opened before, in a time that does not depend on
 * their size.  Where they have been damaged since then, texts may be given any label,
 * but nothing outside of the bytes is read.
 */
extern AiCode ai_text_classifier_open_checked(AiTextClassifier **model, const AiHost *host,
											  const void *bytes, size_t size, AiError *err);
extern void ai_text_classifier_close(AiTextClassifier *model);

extern int	ai_text_classifier_n_labels(const AiTextClassifier *model);
extern const char *ai_text_classifier_label(const AiTextClassifier *model, int index,
											size_t *len);

/* The label's index, or -1 */
extern int	ai_text_classifier_find_label(const AiTextClassifier *model,
										 const char *label, size_t len);
extern int64_t ai_text_classifier_n_features(const AiTextClassifier *model);

/* The SHA-256 of the embedder's content, and how many numbers it has to give; NULL: none */
extern const uint8_t *ai_text_classifier_embedder(const AiTextClassifier *model, int *n_dense);

extern AiCode ai_text_scratch_create(AiTextScratch **scratch,
									 const AiTextClassifier *model,
									 const AiHost *host, AiError *err);
extern void ai_text_scratch_destroy(AiTextScratch *scratch);

/* The length of the longest text that it was used for: its size grows with that. */
extern size_t ai_text_scratch_longest(const AiTextScratch *scratch);

/*
 * probability:[n_labels], sums to 1; *best is the first largest.  Either may be
 * NULL.  embedding is the text's by the model's embedder, not looked at if it
 * has none.  Fails by AI_ERR_NOMEM and AI_ERR_CANCELLED only.
 */
extern AiCode ai_text_classifier_run(const AiTextClassifier *model,
									 AiTextScratch *scratch,
									 double *probability, int *best,
									 const char *text, size_t text_len,
									 const float *embedding, AiError *err);

/*
 * Why: the contribution of every n-gram of the text, and of its embedding as a
 * whole, to one label's score.
 * With two labels the score is the log-odds of the label against the other;
 * with more it is the label's logit before the softmax.  The contributions,
 * with the intercept's (start == end == 0, is_intercept), sum to the score.
 */
typedef struct AiTextContribution
{
	const char *feature;		/* as it stands in the text at its first place, UTF-8 */
	size_t		feature_len;
	const char *kind;			/* "word", "characters", "shape", "embedding", "intercept" */
	int64_t		count;			/* occurrences in the text */
	double		value;			/* its TF-IDF weight in this text; of an embedding its length */
	double		contribution;	/* value * weight for the label */
} AiTextContribution;

/* The array is ordered by falling size of contribution and lives in scratch. */
extern AiCode ai_text_classifier_explain(const AiTextClassifier *model,
										 AiTextScratch *scratch,
										 const AiTextContribution **contributions,
										 int64_t *n_contributions,
										 int label,
										 const char *text, size_t text_len,
										 const float *embedding, AiError *err);

/*
 * The n-grams that the model holds to be the strongest for each label, kept
 * with it when it was trained: by label, then falling weight.
 */
typedef struct AiTextImportance
{
	int			label;
	const char *feature;		/* normalised text of the n-gram, or its shape: "Xx 99"; UTF-8 */
	size_t		feature_len;
	const char *kind;
	double		weight;			/* of a text that consists of it alone */
	int64_t		n_rows;			/* training rows that hold it */
} AiTextImportance;

extern int64_t ai_text_classifier_n_importances(const AiTextClassifier *model);
extern AiTextImportance ai_text_classifier_importance(const AiTextClassifier *model,
													  int64_t index);

#endif							/* AI_TEXT_CLASSIFIER_H */
