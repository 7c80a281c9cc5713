/*-------------------------------------------------------------------------
 * trainer_internal.h
 *		A run of training, and what differs from one algorithm to another.
 *-------------------------------------------------------------------------
 */
#ifndef AIAAS_TRAINER_INTERNAL_H
#define AIAAS_TRAINER_INTERNAL_H

#include "core/base/progress.h"
#include "core/classic/metrics.h"
#include "pg/catalog/catalog.h"
#include "pg/host/json.h"
#include "pg/jobs/gate.h"
#include "pg/jobs/trainer.h"
#include "portability/instr_time.h"

typedef struct AiaasTrainRun
{
	/* Settings */
	const AiaasTrainRequest *request;
	const struct AiaasAlgorithm *algorithm;
	AiaasTrainResult *result;	/* borrowed, filled at the end */
	MemoryContext context;		/* of all that the run holds */
	instr_time	start;

	/* Set by begin() */
	double		max_time;		/* seconds; 0: none */
	const char *target;			/* name of the column */
	Oid			target_type;

	/* Reading */
	AiaasGate	gate;
	int64		n_rows;			/* that were given to the core */

	/* Learning */
	const AiHost *host;
	void	   *state;			/* the algorithm's own */
	MemoryContextCallback destroy;
} AiaasTrainRun;

/* All are called in the order in which they stand here, on the main thread. */
typedef struct AiaasAlgorithm
{
	const char *name;			/* "text" */
	const char *kind;			/* of the version's row */

	/*
	 * Check options and queries, open the gate, make the core's trainer.  It comes from
	 * run->host, whose context goes when the run ends.
	 */
	void		(*begin) (AiaasTrainRun *run);
	void		(*read) (AiaasTrainRun *run);
	AiCode		(*fit) (AiaasTrainRun *run, AiError *err);

	/* Once there is a trainer, also while it works: no error, nothing that may raise one */
	void		(*progress) (const AiaasTrainRun *run, AiProgress *progress);

	/* After fit: has max_time stopped it before its end? */
	bool		(*was_stopped) (const AiaasTrainRun *run);

	/* What is stored but for algorithm, kind, lineage and duration */
	void		(*describe) (const AiaasTrainRun *run, AiaasNewVersion *version);

	/* Members of the lineage beside query and target */
	void		(*put_lineage) (const AiaasTrainRun *run, AiaasJson *json);

	/* The queries are closed. */
	void		(*end) (AiaasTrainRun *run);

	/* On whatever way the run is left; state is NULL where begin() has set none */
	void		(*destroy) (void *state);
} AiaasAlgorithm;

extern const AiaasAlgorithm aiaas_train_network;
extern const AiaasAlgorithm aiaas_train_text;

/* Another row has been given to the core. */
extern void aiaas_train_count_row(AiaasTrainRun *run);

/* From now on ai_activity shows what progress() tells; and as of now. */
extern void aiaas_train_watch(AiaasTrainRun *run);
extern void aiaas_train_show(AiaasTrainRun *run);
extern int64 aiaas_train_elapsed(const AiaasTrainRun *run); /* microseconds */

/* An object of all metrics of classes */
extern void aiaas_put_class_metrics(AiaasJson *json, const char *key,
									const AiClassMetrics *metrics);

#endif							/* AIAAS_TRAINER_INTERNAL_H */
