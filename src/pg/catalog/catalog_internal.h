/*-------------------------------------------------------------------------
 * catalog_internal.h
 *		What the files of this room share: queries as the tables' owner.
 *-------------------------------------------------------------------------
 */
#ifndef AIAAS_CATALOG_INTERNAL_H
#define AIAAS_CATALOG_INTERNAL_H

#include "executor/spi.h"
#include "pg/catalog/catalog.h"

/* Of a content, except the last; a part of the stored format */
#define AIAAS_CHUNK_SIZE ((size_t) 1024 * 1024)

typedef enum CatalogMode
{
	CATALOG_READ,				/* the active snapshot */
	CATALOG_READ_LATEST,		/* what is committed now, and our own changes */
	CATALOG_WRITE				/* a new snapshot per query, as the isolation level has it */
} CatalogMode;

/*
 * Between begin and end this backend is connected to SPI and is the tables'
 * owner.  An ERROR in between is undone by the transaction's abort.
 */
typedef struct CatalogSession
{
	CatalogMode mode;
	MemoryContext caller;		/* the memory context of begin, for results */
	Oid			user;			/* who called, for rights */
	int			sec_context;	/* to go back to */
	bool		has_snapshot;	/* pushed by begin */
} CatalogSession;

#define CATALOG_MAX_PARAMS 18

/* A statement, planned once per backend */
typedef struct CatalogQuery
{
	const char *sql;
	int			n_params;
	Oid			param_types[CATALOG_MAX_PARAMS];
	SPIPlanPtr	plan;			/* NULL until first used */
} CatalogQuery;

/* Is the extension installed in this database? */
extern bool aiaas_catalog_exists(void);

extern void aiaas_catalog_begin(CatalogSession *session, CatalogMode mode);
extern void aiaas_catalog_end(const CatalogSession *session);

/* Rows returned or changed; nulls is SPI's, or NULL for none */
extern int64 aiaas_catalog_run(const CatalogSession *session, CatalogQuery *query,
							   const Datum *values, const char *nulls);

/*
 * A column of the last run, from 1; is_null is NULL for columns that are never
 * null.  Raises data_corrupted when the tables' owner has altered a column, so
 * that nobody can make us read one type as another.
 */
extern Datum aiaas_catalog_value(int64 row, int column, Oid type, bool *is_null);

/* text that is never null, copied to the session's caller */
extern char *aiaas_catalog_text(const CatalogSession *session, int64 row, int column);

/* bytea of a hash's size, likewise; NULL for NULL, and for any other size */
extern uint8 *aiaas_catalog_hash(const CatalogSession *session, int64 row, int column);

/* jsonb, likewise; NULL for NULL */
extern Jsonb *aiaas_catalog_jsonb(const CatalogSession *session, int64 row, int column);

extern Datum aiaas_hash_datum(const uint8 *hash);

/*
 * Models; model.c
 */
typedef struct ModelRow
{
	AiaasModel	model;			/* version, hash and texts are set if has_version */
	int			last_version;	/* highest number ever given */
	bool		has_version;	/* the one that was asked for exists */

	/* Who may do what with it; in SPI's memory */
	int			n_grants;
	Oid		   *grantees;		/* [n_grants] */
	AiaasPrivilege *privileges; /* [n_grants] */
} ModelRow;

/* False when there is no model of this name; no rights are looked at. */
extern bool aiaas_catalog_find(const CatalogSession *session, ModelRow *row,
							   const AiaasModelRef *ref);

/* The same with the row locked until the transaction ends, and without its version */
extern bool aiaas_catalog_lock(const CatalogSession *session, ModelRow *row, const char *name);

/* Lock a model on which the user has a privilege, or raise. */
extern void aiaas_catalog_lock_allowed(const CatalogSession *session, ModelRow *row,
									   const char *name, AiaasPrivilege privilege);

extern _Noreturn void aiaas_raise_no_model(const CatalogSession *session, const char *name);
extern _Noreturn void aiaas_raise_no_version(const CatalogSession *session,
											 const ModelRow *row, int version);

/*
 * Rights; privilege.c
 */

/* Columns of the last run: the grantees (oid[]) and what each of them has (text[]) */
extern void aiaas_catalog_read_grants(ModelRow *row, int64 i, int column);

/* What role has, by itself, as a member of other roles and as anybody; superusers own all. */
extern AiaasPrivilege aiaas_catalog_privilege(const ModelRow *row, Oid role);

extern bool aiaas_catalog_allows(const CatalogSession *session, const ModelRow *row,
								 AiaasPrivilege privilege);

/* In SQL: may the user, a parameter, use model m?  Nobody but a superuser has role 0. */
#define USABLE_BY(user) \
	"(pg_catalog.pg_has_role(" user ", 0, 'USAGE')" \
	" OR EXISTS (SELECT FROM aiaas.privilege p WHERE p.model OPERATOR(pg_catalog.=) m.id" \
	" AND (p.grantee::pg_catalog.oid OPERATOR(pg_catalog.=) 0" \
	" OR pg_catalog.pg_has_role(" user ", p.grantee::pg_catalog.oid, 'USAGE'))))"
#define USABLE_BY_1 USABLE_BY("$1")

/* Raise that there is no such model to who has no privilege at all, or what he lacks. */
extern void aiaas_catalog_require(const CatalogSession *session, const ModelRow *row,
								  AiaasPrivilege privilege);

/* The entry of a new model */
extern void aiaas_catalog_insert_owner(const CatalogSession *session, int64 model, Oid owner);

/*
 * Pins; pin.c
 *
 * Raise if something is pinned to a content that would go with this version, or
 * with all of the model's when version is 0, or if another version needs it.  Nobody
 * else can begin to need it before the transaction ends.
 */
extern void aiaas_catalog_check_not_pinned(const CatalogSession *session, const ModelRow *row,
										   int version);
extern void aiaas_catalog_check_not_needed(const CatalogSession *session, const ModelRow *row,
										   int version);

/*
 * Contents; content.c
 *
 * Store bytes under their hash unless they are there, and keep them from being
 * collected until the transaction ends.
 */
extern void aiaas_content_store(const CatalogSession *session, uint8 *hash,
								const void *bytes, size_t n_bytes);

/* Keep the content of an embedder, too, which must still be there. */
extern void aiaas_content_hold(const CatalogSession *session, const uint8 *hash);

/* Remove a content that no version refers to any more. */
extern void aiaas_content_collect(const CatalogSession *session, const uint8 *hash);

#endif							/* AIAAS_CATALOG_INTERNAL_H */
