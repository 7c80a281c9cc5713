/*-------------------------------------------------------------------------
 * network_trainer.h
 *		The door of training networks: options, rows, fitting, the block and the report.
 *
 * Create, add every row, fit, take the bytes and the report, destroy.  The result depends on
 * the multiset of rows, the options and the seed, never on the order of rows or the threads.
 *-------------------------------------------------------------------------
 */
#ifndef AI_NETWORK_TRAINER_H
#define AI_NETWORK_TRAINER_H

#include "core/base/progress.h"
#include "core/classic/metrics.h"
#include "core/model/network.h"
#include "core/train/fit.h"

/* What rows are made of, which the types of their columns tell */
typedef struct AiNetworkFormat
{
	AiNetworkInput input;
	size_t		n_inputs;		/* numbers or pixels of a row; 0: as many as the first row has */
	AiNetworkTask task;
} AiNetworkFormat;

typedef struct AiNetworkLabel
{
	const char *text;			/* UTF-8; NULL: this step has none */
	size_t		len;
} AiNetworkLabel;

/* One row, all borrowed */
typedef struct AiNetworkExample
{
	AiNetworkRow input;
	const AiNetworkLabel *labels;	/* 1 of classes, any number of labels, 1 for each step */
	size_t		n_labels;
	const float *values;		/* of values */
	size_t		n_values;
} AiNetworkExample;

typedef struct AiNetworkReport
{
	int64_t		n_train_rows;
	int64_t		n_validation_rows;
	int			n_labels;
	int64_t		n_words;		/* known ones; of texts alone */
	int64_t		n_steps;		/* words of a text that are read */
	int64_t		n_weights;		/* numbers, as model.summary() counts them */
	int64_t		n_trained;		/* of them, those that training changed */
	int			n_epochs;
	int			best_epoch;		/* whose weights they are, from 1 */
	const double *epoch_seconds;	/* [n_epochs] */
	bool		is_complete;	/* false: max_time came first */
	size_t		peak_memory;	/* bytes */

	/* On what was learnt from (1,000 to 10,000 rows of it where there are more), and held out;
	 * the latter NaN, or of no rows, where nothing is */
	const char *metric;			/* "macro_f1"; of values "r2" */
	double		train_score;
	double		validation_score;
	double		train_loss;
	double		validation_loss;
	AiClassMetrics train;		/* of classes and steps */
	AiClassMetrics validation;
} AiNetworkReport;

typedef struct AiNetworkTrainer AiNetworkTrainer;

/*
 * options: the JSON of ai_train() without what belongs to the server.  What can be known of the
 * network without its rows is checked here.  base NULL: weights begin as initialisers say; else
 * with those of its layers that have the same name and shape, and its words; it is borrowed.
 * spills:[2], files for rows that memory does not hold, or NULL.  max_memory: bytes.
 */
extern AiCode ai_network_trainer_create(AiNetworkTrainer **trainer, const AiHost *host,
										const char *options, size_t options_len,
										const AiNetworkFormat *format, const AiNetwork *base,
										const AiSpill *spills, int n_threads, size_t max_memory,
										AiError *err);

/* The share of rows that is held out, as the options say */
extern double ai_network_trainer_validation(const AiNetworkTrainer *trainer);

/* From now on all rows are held out: they come from the query that "validation" is. */
extern void ai_network_trainer_hold_out(AiNetworkTrainer *trainer);

/*
 * One row, which is copied.  *is_validation says whether it is held out: that depends on its
 * input's bytes alone, for ever.  AI_ERR_DATA: it does not fit, which is told as of "the row", and
 * nothing was added; who wants may go on with the next one.
 */
extern AiCode ai_network_trainer_add(AiNetworkTrainer *trainer, bool *is_validation,
									 const AiNetworkExample *example, AiError *err);

/* AI_ERR_DATA when the rows cannot be learnt from, AI_ERR_DIVERGED, AI_ERR_PARAM and others */
extern AiCode ai_network_trainer_fit(AiNetworkTrainer *trainer, AiError *err);

/* Where it is: at any time on the main thread, so also when it asks the host whether to stop */
extern void ai_network_trainer_progress(AiNetworkTrainer *trainer, AiProgress *progress);

/* After fit; all borrowed, as long as the trainer lives */
extern const AiNetworkReport *ai_network_trainer_report(const AiNetworkTrainer *trainer);
extern const void *ai_network_trainer_model(const AiNetworkTrainer *trainer, size_t *size);

/* The network that the model's bytes are */
extern const AiNetwork *ai_network_trainer_network(const AiNetworkTrainer *trainer);

/* Rows of label number index of the model, held out or not */
extern int64_t ai_network_trainer_label_rows(const AiNetworkTrainer *trainer, int index);

/* All options with their defaults filled in, as JSON that gives the same training again */
extern const char *ai_network_trainer_options(const AiNetworkTrainer *trainer, size_t *len);

extern void ai_network_trainer_destroy(AiNetworkTrainer *trainer);

#endif							/* AI_NETWORK_TRAINER_H */
