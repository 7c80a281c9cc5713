/*-------------------------------------------------------------------------
 * list.c
 *		Versions that a user may see, for functions that look at many.
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "pg/catalog/catalog_internal.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"

/* Of model $1, or of all when that is NULL; number $2, or all */
static CatalogQuery select_numbers = {
	"SELECT m.name, v.number FROM aiaas.model m"
	" JOIN aiaas.version v ON v.model OPERATOR(pg_catalog.=) m.id"
	" WHERE ($1 IS NULL OR m.name OPERATOR(pg_catalog.=) $1)"
	" AND ($2 IS NULL OR v.number OPERATOR(pg_catalog.=) $2)"
	" ORDER BY m.name, v.number",
	2, {TEXTOID, INT4OID}, NULL
};

/* References in the caller's memory, whatever the rights */
static List *
list_references(const CatalogSession *session, const AiaasModelRef *only)
{
	Datum		values[2] = {0};
	char		nulls[] = "nn";
	List	   *references = NIL;
	int64		n_rows;

	if (only != NULL)
	{
		values[0] = CStringGetTextDatum(only->name);
		values[1] = Int32GetDatum(only->version);
		nulls[0] = ' ';
		nulls[1] = only->version == 0 ? 'n' : ' ';
	}
	n_rows = aiaas_catalog_run(session, &select_numbers, values, nulls);
	for (int64 i = 0; i < n_rows; i++)
	{
		MemoryContext old_context;
		AiaasModelRef *ref;
		char	   *name = aiaas_catalog_text(session, i, 1);
		int			number = DatumGetInt32(aiaas_catalog_value(i, 2, INT4OID, NULL));

		old_context = MemoryContextSwitchTo(session->caller);
		ref = palloc(sizeof(AiaasModelRef));
		strlcpy(ref->name, name, sizeof(ref->name));
		ref->version = number;
		references = lappend(references, ref);
		MemoryContextSwitchTo(old_context);
	}
	return references;
}

List *
aiaas_model_list(const char *reference, AiaasPrivilege privilege)
{
	CatalogSession session;
	AiaasModelRef only;
	List	   *models = NIL;
	ListCell   *cell;

	if (reference != NULL)
	{
		(void) aiaas_model_resolve(reference, privilege);
		aiaas_model_ref_parse(&only, reference);
	}
	aiaas_catalog_begin(&session, CATALOG_READ);
	foreach(cell, list_references(&session, reference != NULL ? &only : NULL))
	{
		ModelRow	row;
		MemoryContext old_context;
		AiaasModel *model;

		if (!aiaas_catalog_find(&session, &row, lfirst(cell)) || !row.has_version ||
			!aiaas_catalog_allows(&session, &row, privilege))
			continue;
		old_context = MemoryContextSwitchTo(session.caller);
		model = palloc(sizeof(AiaasModel));
		*model = row.model;
		models = lappend(models, model);
		MemoryContextSwitchTo(old_context);
	}
	aiaas_catalog_end(&session);
	return models;
}
