/*-------------------------------------------------------------------------
 * explain_network.c
 *		ai_explain of networks: integrated gradients as rows.
 *
 * A row is a word, a number or a pixel; two more make the sum the score: what the baseline has,
 * and the gap that the steps of the integral leave.
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "pg/sqlapi/explain_network.h"

#include "utils/builtins.h"
#include "utils/memutils.h"

#include "core/model/network_explain.h"
#include "pg/engine/batch.h"
#include "pg/engine/features.h"
#include "pg/engine/verb.h"
#include "pg/host/datum.h"
#include "pg/host/host.h"
#include "pg/host/raise.h"

typedef struct NetworkRows
{
	AiaasRows  *rows;
	const AiaasModel *model;
	const AiNetworkParts *parts;
	const char *text;			/* of words */
	List	   *columns;
	int64	   *sizes;			/* [columns] numbers of each */
} NetworkRows;

/* The label or value that argument 2 names, else the label that the input is given */
static int
explained_answer(AiaasCall *call, FunctionCallInfo fcinfo, const AiNetwork *network,
				 const void *bytes, size_t len)
{
	int			best;

	if (ai_network_parts(network)->task == AI_NETWORK_VALUES)
	{
		if (ai_network_n_answers(network) > 1)
			ereport(ERROR,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg("model \"%s\" gives %zu numbers, and only one can be explained",
							aiaas_call_model(fcinfo)->name, ai_network_n_answers(network)),
					 errhint("Train a model for each number.")));
		return 0;
	}
	if (PG_NARGS() > 2)
		return aiaas_call_label(call, fcinfo, 2);
	aiaas_engine_run(aiaas_call_engine(call), NULL, &best, bytes, len);
	return best;
}

/* "age", or "image[3]" where a column has several numbers */
static char *
number_name(const NetworkRows *it, size_t number)
{
	ListCell   *cell;
	int			i = 0;
	size_t		first = 0;

	foreach(cell, it->columns)
	{
		size_t		n = (size_t) it->sizes[i++];

		if (number < first + n)
			return n == 1 ? lfirst(cell) :
				psprintf("%s[%zu]", (char *) lfirst(cell), number - first + 1);
		first += n;
	}
	return psprintf("[%zu]", number + 1);
}

/* "[row, column]" or "[row, column, channel]", from 0 as arrays of images are counted */
static char *
pixel_name(const AiShape *shape, size_t number)
{
	size_t		channels = shape->n_dims == 3 ? (size_t) shape->dims[2] : 1;
	size_t		width = shape->n_dims >= 2 ? (size_t) shape->dims[1] : 1;
	size_t		pixel = number / channels;

	if (shape->n_dims < 2 || shape->n_dims > 3)
		return psprintf("[%zu]", number);
	if (channels == 1)
		return psprintf("[%zu, %zu]", pixel / width, pixel % width);
	return psprintf("[%zu, %zu, %zu]", pixel / width, pixel % width, number % channels);
}

static void
put_row(AiaasRows *rows, Datum feature, const char *kind, int64 count, double value,
		double contribution)
{
	Datum		values[5] = {
		feature, CStringGetTextDatum(kind), Int64GetDatum(count), Float8GetDatum(value),
		Float8GetDatum(contribution + 0.0)	/* -0 becomes 0 */
	};
	bool		is_null[5] = {feature == (Datum) 0, false, count == 0, count == 0, false};

	aiaas_rows_put(rows, values, is_null);
}

static void
put_contribution(const NetworkRows *it, const AiNetworkContribution *contribution)
{
	bool		is_pixel = it->parts->input == AI_NETWORK_PIXELS;

	if (it->parts->input == AI_NETWORK_WORDS)
		put_row(it->rows, PointerGetDatum(aiaas_utf8_to_text(it->text + contribution->start,
															 contribution->end -
															 contribution->start)),
				"word", 1, contribution->value, contribution->contribution);
	else
		put_row(it->rows, CStringGetTextDatum(is_pixel ? pixel_name(&it->parts->shape,
																	contribution->number) :
											  number_name(it, contribution->number)),
				is_pixel ? "pixel" : "number", 1, contribution->value,
				contribution->contribution);
}

void
aiaas_explain_network(AiaasRows *rows, AiaasCall *call, FunctionCallInfo fcinfo,
					  const void *bytes, size_t len)
{
	const AiNetwork *network = aiaas_engine_network(aiaas_call_engine(call));
	int			answer = explained_answer(call, fcinfo, network, bytes, len);
	const AiHost *host = aiaas_host_create(CurrentMemoryContext);
	NetworkRows it = {
		.rows = rows, .model = aiaas_call_model(fcinfo), .parts = ai_network_parts(network),
		.text = bytes
	};
	AiNetworkRow row = {bytes, len};
	AiNetworkExplanation explanation;
	AiArena		arena;
	AiError		err;

	it.columns = aiaas_features_columns(it.model);
	it.sizes = aiaas_features_sizes(it.model, list_length(it.columns));
	AIAAS_CHECK(ai_network_check(network, &row, &err), &err);
	ai_arena_init(&arena, host);
	AIAAS_CHECK(ai_network_explain(&explanation, &arena, network, &row, answer, &err), &err);
	for (size_t i = 0; i < explanation.n; i++)
		put_contribution(&it, &explanation.contributions[i]);
	put_row(rows, (Datum) 0, "baseline", 0, 0, explanation.baseline);
	put_row(rows, (Datum) 0, "gap", 0, 0, explanation.gap);
	MemoryContextDelete(aiaas_host_context(host));
}
