/*-------------------------------------------------------------------------
 * columns.c
 *		The columns of a user's query: which is the target, which hold texts.
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "pg/jobs/columns.h"

#include "catalog/pg_type.h"
#include "utils/lsyscache.h"

/* A column of such a name is the target where the caller names none. */
static const char *const target_names[] = {"label", "target", "class", "category"};

static bool
is_target_name(const char *name)
{
	for (int i = 0; i < (int) lengthof(target_names); i++)
		if (pg_strcasecmp(name, target_names[i]) == 0)
			return true;
	return false;
}

int
aiaas_find_target(const AiaasSelect *select, const char *target)
{
	TupleDesc	desc = select->desc;
	int			found = -1;
	int			n_found = 0;

	for (int i = 0; i < desc->natts; i++)
	{
		const char *name = NameStr(TupleDescAttr(desc, i)->attname);

		if (target != NULL ? strcmp(name, target) == 0 : is_target_name(name))
		{
			found = i;
			n_found++;
		}
	}
	if (n_found == 1)
		return found;

	if (target == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the target column is not named"),
				 errdetail("%s", aiaas_select_columns(select)),
				 errhint("Name the column to learn, for example target => 'label'.")));
	ereport(ERROR,
			(errcode(n_found == 0 ? ERRCODE_UNDEFINED_COLUMN : ERRCODE_AMBIGUOUS_COLUMN),
			 n_found == 0 ? errmsg("target column \"%s\" is not in the query", target) :
			 errmsg("the query has %d columns \"%s\"", n_found, target),
			 errdetail("%s", aiaas_select_columns(select))));
	return -1;
}

bool
aiaas_is_string_type(Oid type)
{
	char		category;
	bool		is_preferred;

	get_type_category_preferred(getBaseType(type), &category, &is_preferred);
	return category == TYPCATEGORY_STRING;
}

char *
aiaas_column_name(const AiaasSelect *select, int index)
{
	return pstrdup(NameStr(TupleDescAttr(select->desc, index)->attname));
}

Oid
aiaas_column_type(const AiaasSelect *select, int index)
{
	return TupleDescAttr(select->desc, index)->atttypid;
}
