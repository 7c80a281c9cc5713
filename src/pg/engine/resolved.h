/*-------------------------------------------------------------------------
 * resolved.h
 *		From a reference or pin to a version, remembered between statements.
 *-------------------------------------------------------------------------
 */
#ifndef AIAAS_RESOLVED_H
#define AIAAS_RESOLVED_H

#include "pg/catalog/catalog.h"

/* How an argument means a model, and what for; always the same for a function */
typedef enum AiaasCallMode
{
	AIAAS_CALL_USE,				/* by name, to apply it */
	AIAAS_CALL_READ,			/* by name, to show what it has learnt */
	AIAAS_CALL_PINNED			/* by pin, to apply it */
} AiaasCallMode;

/* How a function is told which model it is to use */
typedef struct AiaasModelArg
{
	int			arg;			/* its number; where it is missing or NULL, the setting counts */
	AiaasDefault setting;
	AiaasCallMode mode;
} AiaasModelArg;

/* With the rights of the user and the active snapshot, in the current memory context */
extern AiaasModel *aiaas_resolve(const char *reference, AiaasCallMode mode);

/*
 * The same for the planner: NULL where there is no such model, no right, no snapshot or
 * not even a reference.  What it points to lasts until the next search.
 */
extern const AiaasModel *aiaas_try_resolve(const char *reference, AiaasCallMode mode);

#endif							/* AIAAS_RESOLVED_H */
