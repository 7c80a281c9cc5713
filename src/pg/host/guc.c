/*-------------------------------------------------------------------------
 * guc.c
 *		The settings aiaas.*, sorted by name.
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "pg/host/guc.h"

#include <unistd.h>

#include "access/parallel.h"
#include "core/base/pool.h"
#include "pg/host/compat.h"

char	   *aiaas_default_classifier;
int			aiaas_max_train_memory;
int			aiaas_max_train_time;

static int	max_threads;

/* Four, so that one session leaves a larger machine to the others. */
static int
default_threads(void)
{
	long		n_cores = sysconf(_SC_NPROCESSORS_ONLN);

	return (int) Max(1, Min(n_cores, 4));
}

void
aiaas_guc_init(void)
{
	DefineCustomStringVariable(AIAAS_DEFAULT_CLASSIFIER,
							   "Model that classifies where none is named.",
							   "A name ('reviews') or a name and a version ('reviews@3').",
							   &aiaas_default_classifier, "",
							   PGC_USERSET, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("aiaas.max_train_memory",
							"Memory that one training may use.",
							"A training that needs more fails before it starts to learn.",
							&aiaas_max_train_memory, 2048, 1, INT_MAX,
							PGC_SUSET, GUC_UNIT_MB, NULL, NULL, NULL);
	DefineCustomIntVariable("aiaas.max_train_time",
							"Time that one training may take; 0 means no limit.",
							NULL,
							&aiaas_max_train_time, 0, 0, INT_MAX / 1000,
							PGC_SUSET, GUC_UNIT_S, NULL, NULL, NULL);
	DefineCustomIntVariable("aiaas.threads",
							"Threads that one call may use.",
							"The number changes the time that a call takes, never its result.",
							&max_threads, default_threads(), 1, AI_POOL_MAX_THREADS,
							PGC_USERSET, 0, NULL, NULL, NULL);
	MarkGUCPrefixReserved("aiaas");
}

int
aiaas_n_threads(void)
{
	return IsParallelWorker() ? 1 : max_threads;
}
