/*-------------------------------------------------------------------------
 * keep.h
 *		Columns of embeddings that follow a column of texts.
 *
 * All SQL here is the user's: it runs with the rights and settings of who calls, or fires a
 * trigger.  Names in it are quoted and qualified, also those of operators.
 */
#ifndef AIAAS_KEEP_H
#define AIAAS_KEEP_H

#include "commands/trigger.h"
#include "lib/stringinfo.h"

/* A column of the primary key, and the operators of its index */
typedef struct AiaasKeyColumn
{
	const char *name;			/* quoted */
	Oid			type;
	Oid			equal;
	Oid			greater;
	Oid			greater_equal;
} AiaasKeyColumn;

/* Strings are in the memory context of aiaas_kept_init() */
typedef struct AiaasKept
{
	const char *table;			/* qualified and quoted */
	const char *text;			/* quoted */
	const char *embedding;		/* quoted */
	const char *schema;			/* of the extension, quoted */
	const char *model;			/* as a literal */
	int			n_keys;
	AiaasKeyColumn *keys;		/* [n_keys] */
} AiaasKept;

/*
 * Raises where the table has no primary key or not these columns.  function is one of the
 * extension's.
 */
extern void aiaas_kept_init(AiaasKept *kept, Relation table, const char *text_column,
							const char *embedding_column, const char *model, Oid function);

/*
 * The same for a table that is to have embeddings from now on: also raises where the user may
 * not use the model, and where it gives none.
 */
extern void aiaas_kept_open(AiaasKept *kept, Oid table, const char *text_column,
							const char *embedding_column, const char *model, Oid function);

/* Append conditions: the keys of two rows, by their aliases, are equal */
extern void aiaas_kept_join(StringInfo sql, const AiaasKept *kept, const char *a, const char *b);

/* Append "schema.ai_embed(text of row t, model)" */
extern void aiaas_kept_embed(StringInfo sql, const AiaasKept *kept);

/* Give embeddings to the rows that the trigger's statement has given new texts. */
extern void aiaas_kept_update(const AiaasKept *kept, TriggerData *trigger);

/* Create both triggers, or replace them. */
extern void aiaas_kept_create_triggers(const AiaasKept *kept, const char *text_column,
									   const char *embedding_column);

/*
 * Give embeddings to the rows that have a text and none, and commit after each batch of rows.
 * Called with SPI connected for that.
 */
extern void aiaas_backfill(const AiaasKept *kept, const char *model, int batch_rows);

#endif							/* AIAAS_KEEP_H */
