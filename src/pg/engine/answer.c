/*-------------------------------------------------------------------------
 * answer.c
 *		What a model can be asked for.
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "pg/engine/answer.h"

#include "core/model/network_batch.h"
#include "utils/builtins.h"

/* Of a label's name and probability as jsonb */
#define SCORE_BYTES 64

static size_t
n_answers(const AiaasEngine *engine)
{
	return aiaas_engine_n_numbers(engine, AI_NETWORK_ANSWER);
}

bool
aiaas_can_answer(const AiaasEngine *engine, AiaasAnswer answer)
{
	AiaasTask	task = aiaas_engine_task(engine);

	switch (answer)
	{
		case AIAAS_ANSWER_LABEL:
		case AIAAS_ANSWER_SCORES:
			return task != AIAAS_TASK_VALUES && task != AIAAS_TASK_EMBEDDING;
		case AIAAS_ANSWER_SCORE:
			return task == AIAAS_TASK_CLASSES || task == AIAAS_TASK_LABELS;
		case AIAAS_ANSWER_VALUE:
			return task == AIAAS_TASK_VALUES && n_answers(engine) == 1;
		case AIAAS_ANSWER_NUMBERS:
			return n_answers(engine) > 0;
		case AIAAS_ANSWER_LAYER:
			return aiaas_engine_network(engine) != NULL;
		case AIAAS_ANSWER_EMBEDDING:
			return task == AIAAS_TASK_EMBEDDING;
	}
	return false;
}

static _Noreturn void
reject_labels(const AiaasEngine *engine, const AiaasModel *model)
{
	if (aiaas_engine_task(engine) == AIAAS_TASK_EMBEDDING)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("model \"%s\" gives embeddings, not labels", model->name),
				 errhint("Use ai_embed(), or pass the labels to choose from: "
						 "ai_classify(input, ARRAY['one', 'other'], %s).",
						 quote_literal_cstr(model->name))));
	ereport(ERROR,
			(errcode(ERRCODE_WRONG_OBJECT_TYPE),
			 errmsg("model \"%s\" predicts numbers, not labels", model->name),
			 n_answers(engine) == 1 ? errhint("Use ai_predict().") :
			 errhint("Use ai_transform(), which returns all of its numbers.")));
}

static _Noreturn void
reject_score(const AiaasModel *model)
{
	ereport(ERROR,
			(errcode(ERRCODE_WRONG_OBJECT_TYPE),
			 errmsg("model \"%s\" gives a label to each step of a sequence", model->name),
			 errhint("Use ai_scores(), which returns the probabilities of each step.")));
}

static _Noreturn void
reject_value(const AiaasEngine *engine, const AiaasModel *model)
{
	if (aiaas_engine_task(engine) == AIAAS_TASK_EMBEDDING)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("model \"%s\" gives embeddings, not a number", model->name),
				 errhint("Use ai_embed().")));
	if (aiaas_engine_task(engine) != AIAAS_TASK_VALUES)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("model \"%s\" gives labels, not a number", model->name),
				 errhint("Use ai_classify(), or ai_score() for the probability of a label.")));
	ereport(ERROR,
			(errcode(ERRCODE_WRONG_OBJECT_TYPE),
			 errmsg("model \"%s\" predicts %zu numbers, not one", model->name,
					n_answers(engine)),
			 errhint("Use ai_transform(), which returns all of them.")));
}

static _Noreturn void
reject_embedding(const AiaasEngine *engine, const AiaasModel *model)
{
	ereport(ERROR,
			(errcode(ERRCODE_WRONG_OBJECT_TYPE),
			 errmsg("model \"%s\" gives no embeddings", model->name),
			 errdetail("Its task is %s.", aiaas_task_name(aiaas_engine_task(engine))),
			 aiaas_engine_encoder(engine) == NULL ?
			 errhint("Import a pre-trained encoder with ai_import_file() or ai_import().") :
			 errhint("Use ai_classify(), ai_scores() or ai_predict(), or import an encoder "
					 "without a head.")));
}

static _Noreturn void
reject_numbers(const AiaasModel *model)
{
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("model \"%s\" is not a network", model->name),
			 errdetail("Only networks have layers whose numbers can be had.")));
}

void
aiaas_check_answer(const AiaasEngine *engine, const AiaasModel *model, AiaasAnswer answer)
{
	if (aiaas_can_answer(engine, answer))
		return;
	switch (answer)
	{
		case AIAAS_ANSWER_LABEL:
		case AIAAS_ANSWER_SCORES:
			reject_labels(engine, model);
		case AIAAS_ANSWER_SCORE:
			if (aiaas_engine_task(engine) != AIAAS_TASK_STEPS)
				reject_labels(engine, model);
			reject_score(model);
		case AIAAS_ANSWER_VALUE:
			reject_value(engine, model);
		case AIAAS_ANSWER_NUMBERS:
		case AIAAS_ANSWER_LAYER:
			reject_numbers(model);
		case AIAAS_ANSWER_EMBEDDING:
			reject_embedding(engine, model);
	}
}

/*
 * Memory
 */
static double
result_bytes(AiaasAnswer answer, double n_numbers)
{
	switch (answer)
	{
		case AIAAS_ANSWER_SCORES:
			return SCORE_BYTES * n_numbers;
		case AIAAS_ANSWER_SCORE:
			return sizeof(double) * n_numbers;
		case AIAAS_ANSWER_NUMBERS:
		case AIAAS_ANSWER_LAYER:
		case AIAAS_ANSWER_EMBEDDING:
			return sizeof(float) * n_numbers;
		case AIAAS_ANSWER_LABEL:
		case AIAAS_ANSWER_VALUE:
			break;
	}
	return 0;
}

double
aiaas_answer_bytes(const AiaasEngine *engine, AiaasAnswer answer, int layer)
{
	size_t		n_numbers = engine != NULL ? aiaas_engine_n_numbers(engine, layer) : 0;
	double		n = AI_TEXT_MAX_LABELS;

	if (n_numbers > 0)
		return sizeof(float) * n_numbers + result_bytes(answer, n_numbers);
	if (engine != NULL)
		n = aiaas_engine_n_labels(engine);
	return result_bytes(answer, n);
}
