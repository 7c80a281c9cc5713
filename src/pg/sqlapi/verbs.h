/*-------------------------------------------------------------------------
 * verbs.h
 *		The table of all verbs (pg/engine/verb.h).
 *-------------------------------------------------------------------------
 */
#ifndef AIAAS_VERBS_H
#define AIAAS_VERBS_H

#include "pg/engine/verb.h"

/* Ended by one without a name */
extern const AiaasVerb aiaas_verbs[];

#endif							/* AIAAS_VERBS_H */
