/*-------------------------------------------------------------------------
 * aiaas.c
 *		What the server calls when it loads the library: the inits, in order.
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "pg/exec/exec.h"
#include "pg/host/guc.h"
#include "pg/sqlapi/verbs.h"
#include "pg/stats/stats.h"

PG_MODULE_MAGIC;

PGDLLEXPORT void _PG_init(void);

void
_PG_init(void)
{
	aiaas_guc_init();
	aiaas_stats_init();
	aiaas_exec_init(aiaas_verbs);
	aiaas_guc_finish();
}
