/*-------------------------------------------------------------------------
 * verbs.c
 *		The tables of all verbs.
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "pg/sqlapi/verbs.h"

const AiaasVerb *const aiaas_verbs[] = {
	aiaas_classify_verbs,
	aiaas_similarity_verbs,
	aiaas_zero_shot_verbs,
	NULL
};
