/*-------------------------------------------------------------------------
 * gate.c
 *		Comparing a new version with the deployed one.
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "pg/jobs/gate.h"

#include <math.h>

#include "core/classic/metrics.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "pg/engine/batch.h"
#include "pg/host/host.h"
#include "pg/host/json.h"
#include "pg/host/raise.h"

#define FIRST_CAPACITY 1024

/* Has it held out every row that share holds out? */
static bool
has_held_out(const AiaasModel *incumbent, double share)
{
	double		its_share = aiaas_json_number(incumbent->options, "validation");

	return share > 0 && its_share >= share;
}

/* The incumbent's labels get numbers first, so that predictions need no look-up. */
static void
number_labels(AiaasGate *gate)
{
	const AiTextClassifier *model = aiaas_engine_classifier(gate->engine);
	int			n_labels = aiaas_engine_n_labels(gate->engine);

	gate->labels = aiaas_labels_create();
	gate->number_of = palloc(n_labels * sizeof(int));
	for (int i = 0; i < n_labels; i++)
	{
		size_t		len;
		const char *label = ai_text_classifier_label(model, i, &len);

		gate->number_of[i] = aiaas_labels_add(gate->labels, label, len);
	}
}

void
aiaas_gate_open(AiaasGate *gate, const char *model, const AiaasTrainOptions *options)
{
	MemSet(gate, 0, sizeof(AiaasGate));
	gate->deploy = options->deploy;
	if (gate->deploy != AIAAS_DEPLOY_BETTER)
		return;
	gate->incumbent = aiaas_model_incumbent(model);
	if (gate->incumbent == NULL || !has_held_out(gate->incumbent, options->text.validation))
		return;

	/* The incumbent may be younger than the statement, whose snapshot then lacks its content. */
	PushActiveSnapshot(GetLatestSnapshot());
	gate->engine = aiaas_engine_acquire(gate->incumbent);
	PopActiveSnapshot();
	number_labels(gate);
	gate->capacity = FIRST_CAPACITY;
	gate->truth = palloc(gate->capacity * sizeof(int32));
	gate->predicted = palloc(gate->capacity * sizeof(int32));
}

void
aiaas_gate_add(AiaasGate *gate, const AiaasExample *example)
{
	int			best;

	if (gate->engine == NULL)
		return;
	if (gate->n_rows == gate->capacity)
	{
		gate->capacity *= 2;
		gate->truth = repalloc_huge(gate->truth, gate->capacity * sizeof(int32));
		gate->predicted = repalloc_huge(gate->predicted, gate->capacity * sizeof(int32));
	}
	aiaas_engine_run(gate->engine, NULL, &best, example->text, example->text_len);
	gate->truth[gate->n_rows] = aiaas_labels_add(gate->labels, example->label,
												 example->label_len);
	gate->predicted[gate->n_rows] = gate->number_of[best];
	gate->n_rows++;
}

/* Macro F1 of the incumbent on the rows that were added */
static double
measure_incumbent(const AiaasGate *gate)
{
	const AiHost *host = aiaas_host_create(CurrentMemoryContext);
	AiClassMetrics metrics;
	AiError		err;

	AIAAS_CHECK(ai_metrics_classify(&metrics, NULL, gate->truth, gate->predicted, NULL,
									gate->n_rows, aiaas_labels_count(gate->labels),
									host, &err), &err);
	return metrics.macro.f1;
}

static char *
format_score(double score)
{
	return isnan(score) ? pstrdup("unknown") : psprintf("%.4f", score);
}

static void
notice_kept_back(const AiaasGate *gate, const AiaasModelLock *lock, double score,
				 double incumbent_score, bool is_measured)
{
	char	   *command = psprintf("SELECT ai_deploy(%s, %d)", quote_literal_cstr(lock->name),
								   lock->version);

	ereport(NOTICE,
			(errmsg("version %d of model \"%s\" is not better than version %d "
					"and was not deployed",
					lock->version, lock->name, lock->deployed),
			 is_measured ?
			 errdetail("On the same %lld validation rows it has a macro F1 of %s, "
					   "version %d of %s.",
					   (long long) gate->n_rows, format_score(score), lock->deployed,
					   format_score(incumbent_score)) :
			 errdetail("It has a validation score of %s; version %d had %s when it was trained.",
					   format_score(score), lock->deployed, format_score(incumbent_score)),
			 errhint("To deploy it all the same, run %s.", command)));
}

bool
aiaas_gate_decide(AiaasGate *gate, const AiaasModelLock *lock, double score)
{
	double		incumbent_score;
	bool		is_measured;

	if (gate->deploy != AIAAS_DEPLOY_BETTER)
		return gate->deploy == AIAAS_DEPLOY_ALWAYS;
	if (lock->deployed == 0)
		return true;

	/* Somebody may have deployed another version meanwhile. */
	if (gate->incumbent == NULL || gate->incumbent->version != lock->deployed)
	{
		gate->incumbent = aiaas_model_incumbent(lock->name);
		gate->engine = NULL;
	}
	if (gate->incumbent == NULL)	/* its row was deleted by hand */
		return true;
	is_measured = gate->engine != NULL && gate->n_rows > 0;
	incumbent_score = is_measured ? measure_incumbent(gate) :
		gate->incumbent->validation_score;

	/* A version that could not be measured gives way to one that could. */
	if (score > incumbent_score || (isnan(incumbent_score) && !isnan(score)))
		return true;
	notice_kept_back(gate, lock, score, incumbent_score, is_measured);
	return false;
}
