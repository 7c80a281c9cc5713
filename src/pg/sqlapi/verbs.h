/*-------------------------------------------------------------------------
 * verbs.h
 *		The tables of all verbs (pg/engine/verb.h).
 *-------------------------------------------------------------------------
 */
#ifndef AIAAS_VERBS_H
#define AIAAS_VERBS_H

#include "pg/engine/texts.h"
#include "pg/engine/verb.h"

/* Each ended by one without a name */
extern const AiaasVerb aiaas_classify_verbs[];
extern const AiaasVerb aiaas_similarity_verbs[];
extern const AiaasVerb aiaas_zero_shot_verbs[];

/* All of these tables, ended by NULL */
extern const AiaasVerb *const aiaas_verbs[];

/* The entry of a verb that gives an encoder several texts, and its run */
#define AIAAS_DEFINE_TEXTS(entry, verb) \
	PGDLLEXPORT PG_FUNCTION_INFO_V1(entry); \
	Datum \
	entry(PG_FUNCTION_ARGS) \
	{ \
		return aiaas_texts_call(&verb, fcinfo); \
	} \
	static void \
	entry##_run(FunctionCallInfo fcinfo, AiaasBatch *batch, int first) \
	{ \
		aiaas_texts_run(&verb, fcinfo, batch, first); \
	}

#endif							/* AIAAS_VERBS_H */
