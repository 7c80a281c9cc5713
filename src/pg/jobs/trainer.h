/*-------------------------------------------------------------------------
 * trainer.h
 *		One training run: a query goes in, a new version of a model is stored.
 *-------------------------------------------------------------------------
 */
#ifndef AIAAS_TRAINER_H
#define AIAAS_TRAINER_H

#include "pg/catalog/catalog.h"

typedef struct AiaasTrainRequest
{
	const char *model;
	const char *query;
	const char *target;			/* NULL: find it by its name */
	const char *algorithm;		/* 'auto' or a name */
	const Jsonb *options;
} AiaasTrainRequest;

/* What ai_train() returns */
typedef struct AiaasTrainResult
{
	char		model[AIAAS_MODEL_NAME_MAX + 1];
	int			version;
	const char *algorithm;
	int64		n_train_rows;
	int64		n_validation_rows;
	const char *metric;
	double		train_score;	/* NaN: none */
	double		validation_score;
	int64		duration;		/* microseconds */
	bool		is_deployed;
} AiaasTrainResult;

extern void aiaas_train(AiaasTrainResult *result, const AiaasTrainRequest *request);

#endif							/* AIAAS_TRAINER_H */
