/*-------------------------------------------------------------------------
 * answer.c
 *		What a model can be asked for.
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "pg/engine/answer.h"

#include "core/model/network_batch.h"

/* Of a label's name and probability as jsonb */
#define SCORE_BYTES 64

static bool
can_network_answer(const AiNetwork *network, AiaasAnswer answer)
{
	AiNetworkTask task = ai_network_parts(network)->task;

	switch (answer)
	{
		case AIAAS_ANSWER_LABEL:
		case AIAAS_ANSWER_SCORES:
			return task != AI_NETWORK_VALUES;
		case AIAAS_ANSWER_SCORE:
			return task != AI_NETWORK_VALUES && task != AI_NETWORK_STEPS;
		case AIAAS_ANSWER_VALUE:
			return task == AI_NETWORK_VALUES && ai_network_n_answers(network) == 1;
		case AIAAS_ANSWER_NUMBERS:
			break;
	}
	return true;
}

bool
aiaas_can_answer(const AiaasEngine *engine, AiaasAnswer answer)
{
	const AiNetwork *network = aiaas_engine_network(engine);

	if (network == NULL)
		return answer <= AIAAS_ANSWER_SCORE;
	return can_network_answer(network, answer);
}

static _Noreturn void
reject_labels(const AiNetwork *network, const AiaasModel *model)
{
	ereport(ERROR,
			(errcode(ERRCODE_WRONG_OBJECT_TYPE),
			 errmsg("model \"%s\" predicts numbers, not labels", model->name),
			 ai_network_n_answers(network) == 1 ? errhint("Use ai_predict().") :
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
reject_value(const AiNetwork *network, const AiaasModel *model)
{
	if (network == NULL || ai_network_parts(network)->task != AI_NETWORK_VALUES)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("model \"%s\" gives labels, not a number", model->name),
				 errhint("Use ai_classify(), or ai_score() for the probability of a label.")));
	ereport(ERROR,
			(errcode(ERRCODE_WRONG_OBJECT_TYPE),
			 errmsg("model \"%s\" predicts %zu numbers, not one", model->name,
					ai_network_n_answers(network)),
			 errhint("Use ai_transform(), which returns all of them.")));
}

static _Noreturn void
reject_numbers(const AiaasModel *model)
{
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("model \"%s\" is not a network", model->name),
			 errdetail("A text classifier has no layers.")));
}

void
aiaas_check_answer(const AiaasEngine *engine, const AiaasModel *model, AiaasAnswer answer)
{
	const AiNetwork *network = aiaas_engine_network(engine);

	if (aiaas_can_answer(engine, answer))
		return;
	switch (answer)
	{
		case AIAAS_ANSWER_LABEL:
		case AIAAS_ANSWER_SCORES:
			reject_labels(network, model);
		case AIAAS_ANSWER_SCORE:
			if (ai_network_parts(network)->task == AI_NETWORK_VALUES)
				reject_labels(network, model);
			reject_score(model);
		case AIAAS_ANSWER_VALUE:
			reject_value(network, model);
		case AIAAS_ANSWER_NUMBERS:
			reject_numbers(model);
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
	const AiNetwork *network = engine != NULL ? aiaas_engine_network(engine) : NULL;
	double		n = AI_TEXT_MAX_LABELS;

	if (network != NULL)
	{
		n = (double) ai_network_answer_size(network, layer);
		return sizeof(float) * n + result_bytes(answer, n);
	}
	if (engine != NULL)
		n = aiaas_engine_n_labels(engine);
	return result_bytes(answer, n);
}
