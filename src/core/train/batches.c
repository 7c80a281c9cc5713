/*-------------------------------------------------------------------------
 * batches.c
 *		The order of rows in an epoch: a shuffle by Fisher and Yates.
 *-------------------------------------------------------------------------
 */
#include "core/train/batches.h"

#include "core/base/rng.h"

#define STREAM_OF_ORDERS 0x6F72646572	/* apart from others that a seed has */
#define ROWS_PER_QUESTION 65536	/* whether to stop: a few milliseconds where rows are many */

/* Uniform in [0, n), with 64 digits: 32 would favour some of many rows */
static uint32_t
below(AiRng *rng, uint32_t n)
{
	return (uint32_t) (((unsigned __int128) ai_rng_next(rng) * n) >> 64);
}

AiCode
ai_batches_shuffle(const AiBatches *batches, uint64_t seed, uint64_t epoch, const AiHost *host,
				   AiError *err)
{
	AiRng		rng = ai_rng_stream(seed, STREAM_OF_ORDERS, epoch);
	uint32_t   *order = batches->order;

	for (uint32_t i = 0; i < batches->n_rows; i++)
	{
		uint32_t	other = below(&rng, i + 1);

		if (i % ROWS_PER_QUESTION == 0 && ai_host_should_stop(host))
			return ai_fail(err, AI_ERR_CANCELLED, "cancelled");
		order[i] = order[other];
		order[other] = i;
	}
	return AI_OK;
}
