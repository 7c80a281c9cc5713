/*-------------------------------------------------------------------------
 * exec.h
 *		Calls of verbs that run in batches: the plan's nodes that do it.
 *
 * When the library is loaded, finished plans are rewritten: a node BatchProject
 * takes over the calls of a node that evaluates some.  It reads rows ahead, lets
 * the verb compute them together, and emits them in order with the same columns,
 * so nothing above it changes.
 */
#ifndef AIAAS_EXEC_H
#define AIAAS_EXEC_H

#include "pg/engine/verb.h"

/* Called once from _PG_init().  verbs: tables, as in pg/sqlapi/verbs.h */
extern void aiaas_exec_init(const AiaasVerb *const *verbs);

#endif							/* AIAAS_EXEC_H */
