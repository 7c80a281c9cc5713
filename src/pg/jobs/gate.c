/*-------------------------------------------------------------------------
 * gate.c
 *		Comparing a new version with the deployed one.
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "pg/jobs/gate.h"

#include <math.h>

#include "utils/builtins.h"
#include "utils/snapmgr.h"

#include "pg/host/json.h"

/* Has it held out every row that the challenger does? */
static bool
has_held_out(const AiaasModel *incumbent, const AiaasHeldOut *held_out)
{
	JsonbValue *query = aiaas_json_member(incumbent->options, "validation");

	if (held_out->query != NULL)
		return query != NULL && aiaas_option_is(query, held_out->query);
	return held_out->share > 0 &&
		aiaas_json_number(incumbent->options, "validation") >= held_out->share;
}

/* Does it read these rows, and answer as their targets are? */
static bool
fits(const AiaasEvaluation *evaluation, const AiaasHeldOut *held_out)
{
	AiNetworkInput input = AI_NETWORK_WORDS;	/* a text classifier's */

	if (evaluation->network != NULL)
		input = ai_network_parts(evaluation->network)->input;
	return input == held_out->input && evaluation->task == held_out->task;
}

void
aiaas_gate_open(AiaasGate *gate, const char *model, AiaasDeploy deploy,
				const AiaasHeldOut *held_out)
{
	MemSet(gate, 0, sizeof(AiaasGate));
	gate->deploy = deploy;
	if (gate->deploy != AIAAS_DEPLOY_BETTER)
		return;
	gate->incumbent = aiaas_model_incumbent(model);
	if (gate->incumbent == NULL || !has_held_out(gate->incumbent, held_out))
		return;

	/* The incumbent may be younger than the statement, whose snapshot then lacks its content. */
	PushActiveSnapshot(GetLatestSnapshot());
	gate->evaluation = palloc(sizeof(AiaasEvaluation));
	aiaas_evaluation_open(gate->evaluation, gate->incumbent, false);
	PopActiveSnapshot();
	if (!fits(gate->evaluation, held_out))
		gate->evaluation = NULL;
}

void
aiaas_gate_add_text(AiaasGate *gate, const AiaasExample *example)
{
	AiNetworkLabel label = {example->label, example->label_len};
	AiNetworkExample row = {
		.input = {example->text, example->text_len}, .labels = &label, .n_labels = 1
	};

	aiaas_gate_add(gate, &row);
}

/* A row that the incumbent cannot read leaves nothing to be measured by. */
void
aiaas_gate_add(AiaasGate *gate, const AiNetworkExample *example)
{
	if (gate->evaluation != NULL &&
		aiaas_evaluation_add(gate->evaluation, example, NULL) != AI_OK)
		gate->evaluation = NULL;
}

static char *
format_score(double score)
{
	return isnan(score) ? pstrdup("unknown") : psprintf("%.4f", score);
}

/* "macro_f1" in a sentence */
static const char *
name_metric(const char *metric)
{
	return strcmp(metric, "macro_f1") == 0 ? "macro F1" : metric;
}

/* What decided for the incumbent */
typedef struct Verdict
{
	const char *metric;			/* of the challenger */
	double		score;
	const char *incumbent_metric;
	double		incumbent_score;
	bool		is_measured;
	bool		is_comparable;
} Verdict;

static char *
explain_verdict(const Verdict *verdict, const AiaasGate *gate, const AiaasModelLock *lock)
{
	if (verdict->is_measured)
		return psprintf("On the same %lld validation rows it has a %s of %s, version %d of %s.",
						(long long) gate->evaluation->n_rows, name_metric(verdict->metric),
						format_score(verdict->score), lock->deployed,
						format_score(verdict->incumbent_score));
	if (verdict->is_comparable)
		return psprintf("It has a validation score of %s; version %d had %s when it was trained.",
						format_score(verdict->score), lock->deployed,
						format_score(verdict->incumbent_score));
	return psprintf("Its metric is %s and that of version %d is %s, which cannot be compared.",
					name_metric(verdict->metric), lock->deployed,
					name_metric(verdict->incumbent_metric));
}

static void
notice_kept_back(const Verdict *verdict, const AiaasGate *gate, const AiaasModelLock *lock)
{
	char	   *command = psprintf("SELECT ai_deploy(%s, %d)", quote_literal_cstr(lock->name),
								   lock->version);

	ereport(NOTICE,
			(errmsg("version %d of model \"%s\" is not better than version %d "
					"and was not deployed",
					lock->version, lock->name, lock->deployed),
			 errdetail_internal("%s", explain_verdict(verdict, gate, lock)),
			 errhint("To deploy it all the same, run %s.", command)));
}

/* Scores of the incumbent, measured or stored */
static void
judge(Verdict *verdict, AiaasGate *gate)
{
	AiaasNewVersion stored;
	TimestampTz created;

	if (gate->evaluation != NULL)
		aiaas_evaluation_finish(gate->evaluation);
	verdict->is_measured = gate->evaluation != NULL && gate->evaluation->n_rows > 0;
	verdict->is_comparable = true;
	if (verdict->is_measured)
	{
		verdict->incumbent_score = aiaas_evaluation_score(gate->evaluation);
		return;
	}
	PushActiveSnapshot(GetLatestSnapshot());
	aiaas_version_read(&stored, &created, gate->incumbent);
	PopActiveSnapshot();
	verdict->incumbent_score = gate->incumbent->validation_score;
	verdict->incumbent_metric = stored.metric;
	verdict->is_comparable = stored.metric == NULL || strcmp(stored.metric, verdict->metric) == 0;
}

bool
aiaas_gate_decide(AiaasGate *gate, const AiaasModelLock *lock, const char *metric, double score)
{
	Verdict		verdict = {.metric = metric, .score = score};

	if (gate->deploy != AIAAS_DEPLOY_BETTER)
		return gate->deploy == AIAAS_DEPLOY_ALWAYS;
	if (lock->deployed == 0)
		return true;

	/* Somebody may have deployed another version meanwhile. */
	if (gate->incumbent == NULL || gate->incumbent->version != lock->deployed)
	{
		gate->incumbent = aiaas_model_incumbent(lock->name);
		gate->evaluation = NULL;
	}
	if (gate->incumbent == NULL)	/* its row was deleted by hand */
		return true;
	judge(&verdict, gate);

	/* A version that could not be measured gives way to one that could. */
	if (verdict.is_comparable &&
		(score > verdict.incumbent_score || (isnan(verdict.incumbent_score) && !isnan(score))))
		return true;
	notice_kept_back(&verdict, gate, lock);
	return false;
}

void
aiaas_notice_not_deployed(const char *model, int version, const char *made)
{
	ereport(NOTICE,
			(errmsg("version %d of model \"%s\" was %s and not deployed", version, model, made),
			 errhint("To deploy it, run SELECT ai_deploy(%s, %d).", quote_literal_cstr(model),
					 version)));
}
