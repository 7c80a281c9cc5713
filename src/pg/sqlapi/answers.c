/*-------------------------------------------------------------------------
 * answers.c
 *		Answers of a model as results of a function.
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "pg/sqlapi/answers.h"

#include "catalog/pg_type.h"
#include "core/model/network_batch.h"
#include "fmgr.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/fmgroids.h"
#include "utils/memutils.h"

#include "pg/host/compat.h"
#include "pg/host/json.h"

/* A label of several is given from this probability on. */
#define MIN_PROBABILITY 0.5F

/* What takes more memory than the result itself */
typedef Datum (*Make) (const AiaasAnswers *answers, const AiInput *input);

static Datum
make_in_garbage(const AiaasAnswers *answers, const AiInput *input, Make make)
{
	MemoryContext context;
	Datum		result;

	if (answers->garbage == NULL)
		return make(answers, input);
	context = MemoryContextSwitchTo(answers->garbage);
	result = make(answers, input);
	MemoryContextSwitchTo(context);
	result = datumCopy(result, false, -1);
	MemoryContextReset(answers->garbage);
	return result;
}

/*
 * Labels
 */
static Datum
make_text(const Datum *labels, int n)
{
	ArrayType  *array = construct_array((Datum *) labels, n, TEXTOID, -1, false, TYPALIGN_INT);

	return CStringGetTextDatum(OidOutputFunctionCall(F_ARRAY_OUT, PointerGetDatum(array)));
}

static Datum
engine_label(const AiaasAnswers *answers, int label)
{
	return PointerGetDatum(aiaas_engine_label(answers->engine, label));
}

/* Those of several that are likely */
static Datum
make_likely_labels(const AiaasAnswers *answers, const AiInput *input)
{
	int			n_labels = aiaas_engine_n_labels(answers->engine);
	Datum	   *labels = palloc(n_labels * sizeof(Datum));
	int			n = 0;

	for (int i = 0; i < n_labels; i++)
	{
		if (input->answer[i] >= MIN_PROBABILITY)
			labels[n++] = engine_label(answers, i);
	}
	return make_text(labels, n);
}

static Datum
make_step_labels(const AiaasAnswers *answers, const AiInput *input)
{
	int			n_labels = aiaas_engine_n_labels(answers->engine);
	int			n_steps = (int) ai_network_n_places(answers->network);
	Datum	   *labels = palloc(n_steps * sizeof(Datum));

	for (int i = 0; i < n_steps; i++)
		labels[i] = engine_label(answers, ai_network_best(input->answer + (size_t) i * n_labels,
														  n_labels));
	return make_text(labels, n_steps);
}

Datum
aiaas_make_label(AiaasAnswers *answers, const AiInput *input, int label)
{
	const text *name;
	text	   *copy;

	(void) label;
	if (answers->task == AIAAS_TASK_LABELS)
		return make_in_garbage(answers, input, make_likely_labels);
	if (answers->task == AIAAS_TASK_STEPS)
		return make_in_garbage(answers, input, make_step_labels);
	if (answers->labels != NULL && answers->labels[input->best] != (Datum) 0)
		return answers->labels[input->best];

	/* A copy, since the engine may be gone before the result is used. */
	name = aiaas_engine_label(answers->engine, input->best);
	copy = palloc(VARSIZE(name));
	memcpy(copy, name, VARSIZE(name));
	if (answers->labels != NULL)
		answers->labels[input->best] = PointerGetDatum(copy);
	return PointerGetDatum(copy);
}

/*
 * Probabilities
 */
static inline double
probability_of(const AiaasAnswers *answers, const AiInput *input, int place)
{
	return input->probability != NULL ? input->probability[place] : input->answer[place];
}

/* Of one step, or of all there is */
static void
put_scores(AiaasJson *json, const AiaasAnswers *answers, const AiInput *input, int step)
{
	int			n_labels = aiaas_engine_n_labels(answers->engine);

	aiaas_json_begin(json, NULL);
	for (int i = 0; i < n_labels; i++)
		aiaas_json_float(json, text_to_cstring(aiaas_engine_label(answers->engine, i)),
						 probability_of(answers, input, step * n_labels + i));
	aiaas_json_end(json);
}

static Datum
make_json(const AiaasAnswers *answers, const AiInput *input)
{
	AiaasJson	json = {0};

	if (answers->task == AIAAS_TASK_STEPS)
	{
		aiaas_json_begin_array(&json, NULL);
		for (size_t i = 0; i < ai_network_n_places(answers->network); i++)
			put_scores(&json, answers, input, (int) i);
		aiaas_json_end_array(&json);
	}
	else
		put_scores(&json, answers, input, 0);
	return JsonbPGetDatum(aiaas_json_finish(&json));
}

Datum
aiaas_make_scores(AiaasAnswers *answers, const AiInput *input, int label)
{
	(void) label;
	return make_in_garbage(answers, input, make_json);
}

Datum
aiaas_make_score(AiaasAnswers *answers, const AiInput *input, int label)
{
	return Float8GetDatum(probability_of(answers, input, label));
}

/*
 * Numbers
 */
Datum
aiaas_make_value(AiaasAnswers *answers, const AiInput *input, int label)
{
	(void) answers;
	(void) label;
	return Float8GetDatum(input->answer[0]);
}

/* One number is an array of one. */
static AiShape
shape_of(const AiaasAnswers *answers)
{
	int64_t		n = (int64_t) aiaas_engine_n_numbers(answers->engine, answers->layer);
	AiShape		shape = {1, {n}};

	if (answers->network != NULL)
	{
		const AiGraph *graph = ai_network_graph(answers->network);
		int			layer = answers->layer != AI_NETWORK_ANSWER ? answers->layer :
			graph->n_layers - 1;

		/* Of one dimension, two labels may have one output. */
		if (graph->layers[layer].layer.output.n_dims > 1)
			shape = graph->layers[layer].layer.output;
	}
	return shape;
}

Datum
aiaas_make_numbers(AiaasAnswers *answers, const AiInput *input, int label)
{
	AiShape		shape = shape_of(answers);
	Size		n_bytes = ai_shape_size(&shape) * sizeof(float);
	Size		size = ARR_OVERHEAD_NONULLS(shape.n_dims) + n_bytes;
	ArrayType  *array = palloc(size);

	(void) label;
	SET_VARSIZE(array, size);
	array->ndim = shape.n_dims;
	array->dataoffset = 0;
	array->elemtype = FLOAT4OID;
	for (int i = 0; i < shape.n_dims; i++)
	{
		ARR_DIMS(array)[i] = (int) shape.dims[i];
		ARR_LBOUND(array)[i] = 1;
	}
	memcpy(ARR_DATA_PTR(array), input->answer, n_bytes);
	return PointerGetDatum(array);
}
