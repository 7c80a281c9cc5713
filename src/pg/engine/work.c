/*-------------------------------------------------------------------------
 * work.c
 *		How long inputs take, for the planner, for batches and for threads.
 *
 * Measured with the sets of the benchmark and with 100 and 1000 labels, with AVX-512 on a
 * server of 2024: 3 us for 80 bytes and two labels, 180 us for 4.7 kB, 100 us for 71 bytes
 * and 1000 labels.  Machines differ by a factor of two, which is as good as is needed.
 */
#include "postgres.h"

#include "pg/engine/work.h"

#include <math.h>

#include "core/model/network_batch.h"

#include "pg/engine/engine_internal.h"
#include "pg/engine/features.h"
#include "pg/engine/kind.h"
#include "pg/host/cores.h"
#include "pg/host/guc.h"

/* Seconds */
#define PER_TEXT 0.3e-6
#define PER_BYTE 33e-9			/* to read a byte and look up what ends with it */
#define PER_WEIGHT_BYTE 0.13e-9 /* to add up a byte of an n-gram's weights, per byte of text */
#define PER_SCORE 0.35e-6		/* to write a label and its probability as jsonb */

/* A model that is larger waits for memory. */
#define CACHE_BYTES (32 * 1024 * 1024)
#define PER_BYTE_WAITING 50e-9
#define PER_WEIGHT_BYTE_WAITING 0.35e-9

/* Of networks, with AVX-512 */
#define PER_INPUT 0.3e-6
#define PER_INPUT_BYTE 0.2e-9
#define PER_PRODUCT 0.05e-9

/*
 * Of encoders, with AVX-512 and VNNI: MiniLM has 10.6 million multiplications a token.  A token
 * has some four bytes, and each text a few tokens of its own.
 */
#define PER_TOKEN 0.35e-6
#define BYTES_OF_TOKEN 4
#define TOKENS_OF_TEXT 3

/* Of an n-gram in a model: its place in the table and its document frequency */
#define BYTES_WITHOUT_WEIGHTS 11

/* A batch's work: less costs, more lets others wait and falls out of the cache */
#define BATCH_WORK 2.5e-3		/* seconds for each thread */
#define MAX_BATCH_THREADS 16
#define TEXTS_PER_THREAD 8		/* at least, where there are several threads: none waits for long */

/* A network is at its best with AI_SHARD_ROWS inputs at once, so it gets them up to here. */
#define MAX_FILL_WORK 50e-3		/* seconds for each thread */

/* So does an encoder with a few hundred tokens for each of its products. */
#define FILL_BYTES 3600

/* Of a batch's row beside its text and its answer */
#define ROW_BYTES 128

/* All weights of one n-gram; 4 with two labels */
static double
weight_bytes(const AiaasModel *model)
{
	double		n_features = model != NULL ? aiaas_features_count(model->features) : 0;

	if (n_features < 1)
		return sizeof(float);
	return Max(sizeof(float), model->n_bytes / n_features - BYTES_WITHOUT_WEIGHTS);
}

static double
n_labels(const AiaasModel *model)
{
	return Max(2, rint(weight_bytes(model) / sizeof(float)));
}

void
aiaas_text_cost(const AiaasModel *model, AiaasVerbCost *cost)
{
	bool		waits = model != NULL && model->n_bytes > CACHE_BYTES;
	AiaasVerbCost embedding;
	AiPrecision precision;
	double		work;

	cost->per_row = PER_TEXT;
	cost->per_byte = waits ? PER_BYTE_WAITING : PER_BYTE;
	cost->per_byte += weight_bytes(model) * (waits ? PER_WEIGHT_BYTE_WAITING : PER_WEIGHT_BYTE);
	if (model != NULL && aiaas_features_embedder_work(model, &work, &precision))
	{
		aiaas_encoder_cost(work, precision, &embedding);
		cost->per_row += embedding.per_row;
		cost->per_byte += embedding.per_byte;
	}
}

void
aiaas_network_cost(double work, AiaasVerbCost *cost)
{
	cost->per_row = PER_INPUT + work * PER_PRODUCT;
	cost->per_byte = PER_INPUT_BYTE;
}

void
aiaas_encoder_cost(double work, AiPrecision precision, AiaasVerbCost *cost)
{
	static const double per_product[AI_N_PRECISIONS] = {
		[AI_PRECISION_FP32] = 18e-12,
		[AI_PRECISION_BF16] = 5e-12,
		[AI_PRECISION_INT8] = 4e-12
	};
	double		per_token = PER_TOKEN + work * per_product[precision];

	cost->per_row = PER_INPUT + TOKENS_OF_TEXT * per_token;
	cost->per_byte = per_token / BYTES_OF_TOKEN;
}

void
aiaas_input_cost(const AiaasModel *model, AiaasVerbCost *cost)
{
	const AiaasKind *kind = aiaas_kind_find(model->kind);

	if (kind != NULL)
		kind->cost(model, NULL, cost);
	else
		aiaas_text_cost(model, cost);
}

void
aiaas_scores_cost(const AiaasModel *model, AiaasVerbCost *cost)
{
	aiaas_input_cost(model, cost);
	cost->per_row += n_labels(model) * PER_SCORE;
}

/* In bytes of text */
static void
text_batch_size(const AiaasEngine *engine, int n_threads, AiaasBatchSize *size)
{
	double		seconds = BATCH_WORK * n_threads;
	double		n_bytes;
	AiaasVerbCost cost;

	if (engine != NULL)
		cost = engine->cost;
	else
		aiaas_text_cost(NULL, &cost);
	n_bytes = seconds / cost.per_byte;
	if (engine != NULL && (engine->encoder != NULL || engine->embedder.engine != NULL))
		n_bytes = Max(n_bytes, (double) FILL_BYTES * n_threads);
	if (engine != NULL && n_threads > 1)
		n_bytes = Max(n_bytes, (double) engine->mean_length * n_threads * TEXTS_PER_THREAD);
	size->unit = AIAAS_WORK_BYTES;
	size->target = (int64) Max(1, Min(n_bytes, aiaas_max_batch_memory * 1024.0 / 2));
	size->max_rows = (int) Max(1, Max(seconds, n_bytes * cost.per_byte) / cost.per_row);
}

/* In rows, which are alike */
static void
network_batch_size(const AiaasEngine *engine, int n_threads, AiaasBatchSize *size)
{
	double		per_row = engine->cost.per_row +
		engine->cost.per_byte * ai_network_input_bytes(engine->network);
	double		fill = Min(AI_SHARD_ROWS, MAX_FILL_WORK / per_row);

	size->unit = AIAAS_WORK_ROWS;
	size->max_rows = (int) Max(1, n_threads * Max(BATCH_WORK / per_row, fill));
	size->target = size->max_rows;
}

void
aiaas_batch_size(const AiaasEngine *engine, AiaasAnswer answer, int layer, AiaasBatchSize *size)
{
	int			n_threads = Min(Min(aiaas_n_threads(), aiaas_n_cores()), MAX_BATCH_THREADS);
	double		memory = aiaas_max_batch_memory * 1024.0 / 2;
	double		row_bytes = ROW_BYTES + aiaas_answer_bytes(engine, answer, layer);

	if (engine != NULL && engine->network != NULL)
		network_batch_size(engine, n_threads, size);
	else
		text_batch_size(engine, n_threads, size);
	size->max_rows = (int) Max(1, Min(size->max_rows, memory / row_bytes));
}
