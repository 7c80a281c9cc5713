/*-------------------------------------------------------------------------
 * text_fit.h
 *		Learning the linear model of a text classifier from sparse rows.
 *
 * The strength of the penalty and the calibration come from cross-validation,
 * the weights from all rows that are given.
 *-------------------------------------------------------------------------
 */
#ifndef AI_TEXT_FIT_H
#define AI_TEXT_FIT_H

#include "core/base/arena.h"
#include "core/base/pool.h"
#include "core/base/progress.h"
#include "core/classic/linear.h"

#define AI_TEXT_N_FOLDS 5

typedef struct AiTextFit
{
	/* Settings */
	AiArena    *arena;			/* borrowed */
	AiPool	   *pool;			/* borrowed */
	const AiSparseRow *rows;	/* [n_rows] in canonical order */
	const uint8_t *fold;		/* [n_rows] 0 .. AI_TEXT_N_FOLDS - 1 */
	int64_t		n_rows;
	int64_t		n_features;
	int			n_dense;		/* dense numbers of a row that are learnt from; 0: none */
	int			n_labels;
	const double *label_cost;	/* [n_labels] */
	double		l2;				/* 0: chosen */
	uint64_t	seed;
	bool		wants_all_folds;	/* held-out scores of every row are wanted */
	double		max_time;		/* seconds since the tracker's start, 0: none */
	AiTracker  *tracker;		/* borrowed */
	double		read_seconds;	/* as below, and that the caller will need afterwards: guesses */
	double		seconds_after;
	void		(*progress) (void *arg);	/* after each part, on the main thread */
	void	   *progress_arg;
	void		(*meanwhile) (void *arg, int thread);	/* beside the final fit, or NULL */
	void	   *meanwhile_arg;

	/* From search to finish */
	struct AiTextSearch *search;
	double		loss;			/* of rows that were held out, at the best cost; infinite: none */

	/* Results */
	AiLinearModel model;		/* its scores are logits: calibrated */
	double		chosen_l2;
	double		temperature;
	int			n_passes;
	bool		has_converged;
	int64_t		n_held_out;		/* rows scored by a model that had not seen them */
	uint32_t   *held_out;		/* [n_held_out] their numbers */
	float	   *held_out_logit; /* [n_held_out, width] */
} AiTextFit;

/* Folds that cross-validation will use, for so many rows */
extern int	ai_text_fit_n_folds(int64_t n_rows, bool wants_all_folds);

/*
 * A guess of the seconds that it will take, for a set whose n-grams these threads have read
 * in read_seconds; is_given: its l2
 */
extern double ai_text_fit_seconds(double read_seconds, int64_t n_rows, int n_labels,
								  int n_threads, bool wants_all_folds, bool is_given);

/* Bytes that search and finish will take from the arena */
extern size_t ai_text_fit_memory(int64_t n_rows, int64_t n_features, int n_labels,
								 int n_threads, bool wants_all_folds);

/*
 * Cross-validation, and then the weights and their calibration.  Of several fits over the same
 * rows the one with the least loss is worth finishing.  Both fail by AI_ERR_NOMEM,
 * AI_ERR_CANCELLED and AI_ERR_DIVERGED.
 */
extern AiCode ai_text_fit_search(AiTextFit *fit, AiError *err);
extern AiCode ai_text_fit_finish(AiTextFit *fit, AiError *err);

#endif							/* AI_TEXT_FIT_H */
