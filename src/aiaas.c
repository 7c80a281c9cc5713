/*-------------------------------------------------------------------------
 * aiaas.c
 *		What the server calls when it loads the library: the inits, in order.
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "fmgr.h"
#include "pg/host/guc.h"

PG_MODULE_MAGIC;

PGDLLEXPORT void _PG_init(void);

void
_PG_init(void)
{
	aiaas_guc_init();
}
