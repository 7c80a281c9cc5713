/*-------------------------------------------------------------------------
 * recognise.c
 *		Functions that are calls of a verb, by their C entry points.
 *
 * Neither names nor schemas count, so it does not matter where the extension was
 * created.  The answer is remembered until something about functions changes.
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "pg/exec/exec_internal.h"

#include "access/htup_details.h"
#include "access/transam.h"
#include "catalog/pg_language.h"
#include "catalog/pg_proc.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/syscache.h"

typedef struct Known
{
	Oid			function;		/* the key */
	const AiaasVerb *verb;		/* NULL: none */
} Known;

static const AiaasVerb *const *all_verbs;
static HTAB *known = NULL;
static bool is_stale = false;	/* all of it */

static void
invalidate(Datum arg, int cache, uint32 hash)
{
	(void) arg;
	(void) cache;
	(void) hash;
	is_stale = true;
}

void
aiaas_recognise_init(const AiaasVerb *const *verbs)
{
	all_verbs = verbs;
	CacheRegisterSyscacheCallback(PROCOID, invalidate, (Datum) 0);
}

static const AiaasVerb *
find_verb(PGFunction entry)
{
	for (const AiaasVerb *const *table = all_verbs; *table != NULL; table++)
	{
		for (const AiaasVerb *verb = *table; verb->name != NULL; verb++)
		{
			if (verb->entry == entry)
				return verb;
		}
	}
	return NULL;
}

/* With settings of its own (ALTER FUNCTION ... SET) a function has another entry. */
static const AiaasVerb *
look_up(Oid function)
{
	HeapTuple	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
	bool		is_candidate = false;
	FmgrInfo	flinfo;

	if (HeapTupleIsValid(tuple))
	{
		Form_pg_proc form = (Form_pg_proc) GETSTRUCT(tuple);

		is_candidate = form->prolang == ClanguageId && !form->proretset &&
			form->provolatile != PROVOLATILE_VOLATILE;
		ReleaseSysCache(tuple);
	}
	if (!is_candidate)
		return NULL;
	fmgr_info(function, &flinfo);
	return find_verb(flinfo.fn_addr);
}

static void
renew(void)
{
	HASHCTL		ctl = {.keysize = sizeof(Oid), .entrysize = sizeof(Known)};

	if (known != NULL)
		hash_destroy(known);
	known = NULL;
	known = hash_create("aiaas verbs", 64, &ctl, HASH_ELEM | HASH_BLOBS);
	is_stale = false;
}

const AiaasVerb *
aiaas_recognise(Oid function)
{
	Known	   *entry;
	const AiaasVerb *verb;

#ifdef AIAAS_DEBUG_BATCH
	verb = aiaas_debug_recognise(function);
	if (verb != NULL)
		return verb;
#endif
	if (function < FirstNormalObjectId)
		return NULL;
	if (known == NULL || is_stale)
		renew();
	entry = hash_search(known, &function, HASH_FIND, NULL);
	if (entry != NULL)
		return entry->verb;

	verb = look_up(function);
	if (!is_stale)
	{
		entry = hash_search(known, &function, HASH_ENTER, NULL);
		entry->verb = verb;
	}
	return verb;
}
