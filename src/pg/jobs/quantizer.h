/*-------------------------------------------------------------------------
 * quantizer.h
 *		An encoder in another precision, as a new version, beside what that costs.
 *
 * The new version is made from the stored one, so it cannot become finer than that.  Both
 * compute the same texts, and how near their answers are is told by cosines: of embeddings, of
 * a classifier's numbers before they become probabilities, and where a text has one number, of
 * the numbers of all texts.
 *-------------------------------------------------------------------------
 */
#ifndef AIAAS_QUANTIZER_H
#define AIAAS_QUANTIZER_H

#include "core/kernels/packed.h"
#include "pg/catalog/catalog.h"

typedef struct AiaasQuantizeRequest
{
	const char *model;			/* a name, or one with a version */
	AiPrecision precision;
	const char *query;			/* of texts; NULL: texts of our own */
	bool		deploy;
} AiaasQuantizeRequest;

/* What ai_quantize() returns; of speeds, on one thread */
typedef struct AiaasQuantizeResult
{
	char		model[AIAAS_MODEL_NAME_MAX + 1];
	int			version;
	int64		bytes_before;
	int64		bytes_after;
	double		speed_before;	/* texts each second */
	double		speed_after;
	double		mean_cosine;
	double		min_cosine;
	bool		is_deployed;
} AiaasQuantizeResult;

extern void aiaas_quantize(AiaasQuantizeResult *result, const AiaasQuantizeRequest *request);

#endif							/* AIAAS_QUANTIZER_H */
