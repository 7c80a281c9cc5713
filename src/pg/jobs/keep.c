/*-------------------------------------------------------------------------
 * keep.c
 *		Columns of embeddings that follow a column of texts: the table, and its triggers.
 *
 * A trigger on statements gets all rows of its statement at once, and one UPDATE computes
 * their embeddings, in batches as in any UPDATE.  That UPDATE fires the trigger again, which
 * finds that no text has changed; its UPDATE of no row fires it once more, without rows.
 */
#include "postgres.h"

#include "pg/jobs/keep.h"

#include "access/genam.h"
#include "access/relation.h"
#include "access/stratnum.h"
#include "catalog/pg_index.h"
#include "catalog/pg_type.h"
#include "commands/defrem.h"
#include "executor/spi.h"
#include "parser/parse_coerce.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"
#include "utils/tuplestore.h"

#include "pg/engine/answer.h"
#include "pg/engine/resolved.h"

/*
 * The table
 */
static AttrNumber
find_column(Relation table, const char *name)
{
	AttrNumber	number = get_attnum(RelationGetRelid(table), name);

	if (number <= 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("column \"%s\" of relation \"%s\" does not exist", name,
						RelationGetRelationName(table))));
	return number;
}

/* A text could be assigned to as well, but who names one has mistaken the column. */
static void
check_type(Relation table, AttrNumber column)
{
	Form_pg_attribute att = TupleDescAttr(RelationGetDescr(table), column - 1);
	Oid			function;
	CoercionPathType path = find_coercion_pathway(att->atttypid, FLOAT4ARRAYOID,
												  COERCION_ASSIGNMENT, &function);

	if (path == COERCION_PATH_NONE || path == COERCION_PATH_COERCEVIAIO)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("column \"%s\" cannot hold embeddings", NameStr(att->attname)),
				 errdetail("Its type is %s.", format_type_be(att->atttypid)),
				 errhint("Use a column of type real[], or vector of the extension pgvector.")));
}

static _Noreturn void
reject_key(Relation table)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("table \"%s\" has no primary key", RelationGetRelationName(table)),
			 errdetail("Rows are found by it."),
			 errhint("Add one with ALTER TABLE ... ADD PRIMARY KEY.")));
}

/* False: the index does not compare this column as a B-tree does. */
static bool
fill_key(AiaasKeyColumn *key, Relation table, AttrNumber column, Oid opclass)
{
	Form_pg_attribute att = TupleDescAttr(RelationGetDescr(table), column - 1);
	Oid			family = get_opclass_family(opclass);
	Oid			type = get_opclass_input_type(opclass);

	key->name = quote_identifier(pstrdup(NameStr(att->attname)));
	key->type = att->atttypid;
	key->equal = get_opfamily_member(family, type, type, BTEqualStrategyNumber);
	key->greater = get_opfamily_member(family, type, type, BTGreaterStrategyNumber);
	key->greater_equal = get_opfamily_member(family, type, type, BTGreaterEqualStrategyNumber);
	return OidIsValid(key->equal) && OidIsValid(key->greater) && OidIsValid(key->greater_equal);
}

static bool
fill_keys(AiaasKept *kept, Relation table, HeapTuple tuple)
{
	Form_pg_index index = (Form_pg_index) GETSTRUCT(tuple);
	bool		is_null;
	Datum		value = SysCacheGetAttr(INDEXRELID, tuple, Anum_pg_index_indclass, &is_null);
	const oidvector *opclasses = (const oidvector *) DatumGetPointer(value);

	Assert(!is_null);
	kept->n_keys = index->indnkeyatts;
	kept->keys = palloc(kept->n_keys * sizeof(AiaasKeyColumn));
	for (int i = 0; i < kept->n_keys; i++)
	{
		if (!fill_key(&kept->keys[i], table, index->indkey.values[i], opclasses->values[i]))
			return false;
	}
	return true;
}

static void
find_key(AiaasKept *kept, Relation table)
{
	List	   *indexes = RelationGetIndexList(table);
	bool		is_found = false;
	ListCell   *cell;

	foreach(cell, indexes)
	{
		HeapTuple	tuple = SearchSysCache1(INDEXRELID, ObjectIdGetDatum(lfirst_oid(cell)));
		Form_pg_index index;

		if (!HeapTupleIsValid(tuple))
			elog(ERROR, "cache lookup failed for index %u", lfirst_oid(cell));
		index = (Form_pg_index) GETSTRUCT(tuple);
		if (index->indisprimary && index->indisvalid)
			is_found = fill_keys(kept, table, tuple);
		ReleaseSysCache(tuple);
	}
	list_free(indexes);
	if (!is_found)
		reject_key(table);
}

void
aiaas_kept_init(AiaasKept *kept, Relation table, const char *text_column,
				const char *embedding_column, const char *model, Oid function)
{
	const char *schema = get_namespace_name(RelationGetNamespace(table));

	(void) find_column(table, text_column);
	check_type(table, find_column(table, embedding_column));
	*kept = (AiaasKept) {
		.table = quote_qualified_identifier(schema, RelationGetRelationName(table)),
		.text = quote_identifier(text_column),
		.embedding = quote_identifier(embedding_column),
		.schema = quote_identifier(get_namespace_name(get_func_namespace(function))),
		.model = quote_literal_cstr(model)
	};
	find_key(kept, table);
}

static void
check_kind(Relation table)
{
	char		kind = table->rd_rel->relkind;

	if (kind == RELKIND_RELATION || kind == RELKIND_PARTITIONED_TABLE)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_WRONG_OBJECT_TYPE),
			 errmsg("\"%s\" is not a table", RelationGetRelationName(table)),
			 kind == RELKIND_VIEW || kind == RELKIND_MATVIEW ?
			 errhint("Keep the embeddings in the table that the view reads.") : 0));
}

void
aiaas_kept_open(AiaasKept *kept, Oid table, const char *text_column,
				const char *embedding_column, const char *model, Oid function)
{
	const AiaasModel *found = aiaas_resolve(model, AIAAS_CALL_USE);
	Relation	relation;

	aiaas_check_answer(aiaas_engine_acquire(found), found, AIAAS_ANSWER_EMBEDDING);
	relation = relation_open(table, AccessShareLock);
	check_kind(relation);
	aiaas_kept_init(kept, relation, text_column, embedding_column, model, function);
	relation_close(relation, AccessShareLock);
}

void
aiaas_kept_join(StringInfo sql, const AiaasKept *kept, const char *a, const char *b)
{
	for (int i = 0; i < kept->n_keys; i++)
	{
		const AiaasKeyColumn *key = &kept->keys[i];

		if (i > 0)
			appendStringInfoString(sql, " AND ");
		generate_operator_clause(sql, psprintf("%s.%s", a, key->name), key->type, key->equal,
								 psprintf("%s.%s", b, key->name), key->type);
	}
}

void
aiaas_kept_embed(StringInfo sql, const AiaasKept *kept)
{
	appendStringInfo(sql, "%s.ai_embed(t.%s::pg_catalog.text, %s::pg_catalog.text)",
					 kept->schema, kept->text, kept->model);
}

/*
 * What the trigger does
 */

/* Rows whose text is another than before, byte by byte, or whose key was not there */
static void
append_changed(StringInfo sql, const AiaasKept *kept)
{
	const char *column = kept->text;

	appendStringInfo(sql, " AND (o.%s IS NULL"
					 " OR (o.%s IS NULL) OPERATOR(pg_catalog.<>) (n.%s IS NULL)"
					 " OR o.%s::pg_catalog.text COLLATE pg_catalog.\"C\" OPERATOR(pg_catalog.<>)"
					 " n.%s::pg_catalog.text COLLATE pg_catalog.\"C\")",
					 kept->keys[0].name, column, column, column, column);
}

/* The text is the row's own, which another trigger may have changed after the statement. */
void
aiaas_kept_update(const AiaasKept *kept, TriggerData *trigger)
{
	StringInfoData sql;

	initStringInfo(&sql);
	appendStringInfo(&sql, "UPDATE %s AS t SET %s = ", kept->table, kept->embedding);
	aiaas_kept_embed(&sql, kept);
	appendStringInfo(&sql, " FROM %s AS n", quote_identifier(trigger->tg_trigger->tgnewtable));
	if (trigger->tg_oldtable != NULL)
	{
		appendStringInfo(&sql, " LEFT JOIN %s AS o ON ",
						 quote_identifier(trigger->tg_trigger->tgoldtable));
		aiaas_kept_join(&sql, kept, "o", "n");
	}
	appendStringInfoString(&sql, " WHERE ");
	aiaas_kept_join(&sql, kept, "t", "n");
	if (trigger->tg_oldtable != NULL)
		append_changed(&sql, kept);
	else
		appendStringInfo(&sql, " AND (t.%s IS NOT NULL OR t.%s IS NOT NULL)", kept->text,
						 kept->embedding);

	SPI_connect();
	if (SPI_register_trigger_data(trigger) != SPI_OK_TD_REGISTER)
		elog(ERROR, "could not register the trigger's tables");
	if (SPI_execute(sql.data, false, 0) != SPI_OK_UPDATE)
		elog(ERROR, "could not update the embeddings");
	SPI_finish();
}

static void
create_trigger(const AiaasKept *kept, const char *text_column, const char *embedding_column,
			   const char *event, const char *tables)
{
	const char *name = makeObjectName("ai_keep", embedding_column, event);

	if (SPI_execute(psprintf("CREATE OR REPLACE TRIGGER %s AFTER %s ON %s REFERENCING %s "
							 "FOR EACH STATEMENT EXECUTE FUNCTION %s.ai_embed_trigger(%s, %s, %s)",
							 quote_identifier(name), event, kept->table, tables, kept->schema,
							 quote_literal_cstr(text_column),
							 quote_literal_cstr(embedding_column), kept->model),
					false, 0) != SPI_OK_UTILITY)
		elog(ERROR, "could not create trigger \"%s\"", name);
}

void
aiaas_kept_create_triggers(const AiaasKept *kept, const char *text_column,
						   const char *embedding_column)
{
	SPI_connect();
	create_trigger(kept, text_column, embedding_column, "insert", "NEW TABLE AS ai_new");
	create_trigger(kept, text_column, embedding_column, "update",
				   "OLD TABLE AS ai_old NEW TABLE AS ai_new");
	SPI_finish();
}
