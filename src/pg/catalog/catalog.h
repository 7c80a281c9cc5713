/*-------------------------------------------------------------------------
 * catalog.h
 *		Models as rows: names, versions, contents and who may use them.
 *
 * The tables are in the schema aiaas (sql/install/10_catalog.sql) and belong
 * to the extension's owner.  Every query runs through SPI as that owner; the
 * rights of the calling user are checked here first.  Readers use the active
 * snapshot, so they may be called from STABLE and PARALLEL SAFE functions.
 *
 * Writers take locks in this order: the row of aiaas.model, then rows of
 * aiaas.content.  Never the other way.
 *
 * Errors name models as the user does.  A model that the user may not see and
 * one that does not exist give the same message.
 *-------------------------------------------------------------------------
 */
#ifndef AIAAS_CATALOG_H
#define AIAAS_CATALOG_H

#include "nodes/pg_list.h"
#include "utils/array.h"
#include "utils/jsonb.h"
#include "utils/timestamp.h"

#include "pg/host/guc.h"

#define AIAAS_MODEL_NAME_MAX 63 /* bytes */
#define AIAAS_HASH_SIZE 32		/* SHA-256 */

/* Each includes those before it. */
typedef enum AiaasPrivilege
{
	AIAAS_NO_PRIVILEGE,			/* the model is as if it did not exist */
	AIAAS_USE,					/* apply, evaluate, pin, list */
	AIAAS_READ,					/* what shows the weights: describe, explain, export */
	AIAAS_TRAIN,				/* add versions */
	AIAAS_ADMIN,				/* deploy, rename, comment, drop, grant, revoke */
	AIAAS_OWNER					/* give it to another owner */
} AiaasPrivilege;

/*
 * References
 */
typedef struct AiaasModelRef
{
	char		name[AIAAS_MODEL_NAME_MAX + 1]; /* server encoding */
	int			version;		/* 0: the deployed one */
} AiaasModelRef;

/* 'reviews' or 'reviews@3'; raises invalid_name or invalid_parameter_value */
extern void aiaas_model_ref_parse(AiaasModelRef *ref, const char *reference);

/* The same without an error: false */
extern bool aiaas_model_ref_try_parse(AiaasModelRef *ref, const char *reference);

/* The same where a version makes no sense, as in ai_train() */
extern void aiaas_model_name_check(const char *name);

/* aiaas.default_...; when it is not set, raises with a list of models that would do */
extern const char *aiaas_default_model_get(AiaasDefault which);

/*
 * Reading
 */
typedef struct AiaasModel
{
	int64		id;
	char		name[AIAAS_MODEL_NAME_MAX + 1];
	int			version;		/* the one that the reference means */
	int			deployed;		/* 0: none */

	/* Of that version; pointers are into the memory context of the search */
	uint8		hash[AIAAS_HASH_SIZE];	/* SHA-256 of its content */
	int64		n_bytes;		/* -1: the content's row is missing */
	const uint8 *needs;			/* [AIAAS_HASH_SIZE] content that it is applied with; NULL: none */
	const char *algorithm;		/* 'text' */
	const char *kind;			/* AI_TEXT_CLASSIFIER_KIND: which core model reads the bytes */
	const char *task;			/* 'classification' */
	Jsonb	   *options;		/* as stored, see AiaasNewVersion; NULL: none */
	Jsonb	   *features;		/* NULL: none */
	double		validation_score;	/* NaN: none */
} AiaasModel;

/*
 * Find what reference means, in the current memory context.  Raises
 * undefined_object when there is no such model or version, or when the user
 * has no privilege on it.
 */
extern AiaasModel *aiaas_model_resolve(const char *reference, AiaasPrivilege privilege);

/* The same without an error: NULL where nothing is found, whatever the reason */
extern AiaasModel *aiaas_model_find(const char *reference, AiaasPrivilege privilege);

/*
 * Pins: 'reviews@3#' and the first AIAAS_PIN_SIZE bytes of the content's hash in
 * hex.  Only these count, so neither a new name nor another deployed version
 * changes what a pin means.  The version found is the oldest with this content
 * that the user may use; when there is none, it is as if the content did not exist.
 */
#define AIAAS_PIN_SIZE 16

extern char *aiaas_model_pin(const char *reference);
extern AiaasModel *aiaas_model_resolve_pin(const char *pin);
extern AiaasModel *aiaas_model_find_pin(const char *pin);	/* NULL: none */

/*
 * The oldest version with this content on which the user has this privilege, AIAAS_USE or, for
 * what another model is applied with, AIAAS_NO_PRIVILEGE; NULL: none
 */
extern AiaasModel *aiaas_model_find_content(const uint8 *hash, AiaasPrivilege privilege);

/*
 * All versions that reference means and the user has this privilege on, by name and
 * number: 'reviews' means those of this model here, NULL those of all models.  A list of
 * AiaasModel in the current memory context.
 */
extern List *aiaas_model_list(const char *reference, AiaasPrivilege privilege);

/*
 * Hands the bytes of a resolved version over, chunk by chunk and in order.  Verified
 * against the content hash, which is known after the last: raises data_corrupted
 * naming the model and the chunk.  receive must not run a user's code: it runs as the
 * tables' owner.
 */
typedef void (*AiaasChunkReceiver) (void *arg, const void *bytes, size_t n_bytes);

extern void aiaas_content_scan(const AiaasModel *model, AiaasChunkReceiver receive, void *arg);

/* The same without an error: what is damaged, as a sentence, or NULL */
extern char *aiaas_content_damage(const AiaasModel *model);

/*
 * Writing
 */

/* Raise the server's own error in a read-only transaction, parallel mode or on a standby. */
extern void aiaas_require_writable(const char *command);

/*
 * Before a training run: is name one that this user may train?  Raises when it
 * is malformed or another's.  Takes no lock, so a long run blocks nobody.
 */
extern void aiaas_model_check_trainable(const char *name);

/*
 * After it: create the model, or lock it until the transaction ends.  Another
 * trainer of the same model waits here.
 */
typedef struct AiaasModelLock
{
	int64		id;
	char		name[AIAAS_MODEL_NAME_MAX + 1];
	int			version;		/* the number that aiaas_version_store() will give */
	int			deployed;		/* as of now; 0: none */
} AiaasModelLock;

extern void aiaas_model_lock(AiaasModelLock *lock, const char *name);

/*
 * The deployed version that a new one has to beat, as of now and not as of the
 * statement's start; NULL when there is none.  aiaas_model_check_trainable()
 * or aiaas_model_lock() has looked at the rights; lock->deployed tells whether
 * the version is still the same at the end.
 */
extern AiaasModel *aiaas_model_incumbent(const char *name);

typedef struct AiaasNewVersion
{
	/* All in the server's encoding */
	const char *algorithm;
	const char *kind;
	const char *task;
	Jsonb	   *options;		/* all options, with what was chosen for 'auto' */
	ArrayType  *labels;			/* text[], in the core's order; NULL: not a classifier */
	Jsonb	   *features;		/* what it reads and makes of it */
	Jsonb	   *metrics;		/* everything measured */
	Jsonb	   *lineage;		/* query, target, user, parent */

	/* The row of ai_train() and ai_versions */
	int64		n_train_rows;
	int64		n_validation_rows;
	const char *metric;			/* 'accuracy' */
	double		train_score;	/* NaN: none, NULL in SQL */
	double		validation_score;
	double		duration;		/* seconds */

	/* The model itself */
	const void *bytes;
	size_t		n_bytes;
	const uint8 *needs;			/* as in AiaasModel */
} AiaasNewVersion;

/*
 * Store lock->version, with its content unless that is there already, and
 * deploy it if told.  One use per lock.  Raises undefined_object when what it needs
 * is not there any more.
 */
extern void aiaas_version_store(const AiaasModelLock *lock, const AiaasNewVersion *version,
								bool deploy);

/*
 * What a resolved version was stored with, but for its bytes, and when that
 * was; in the current memory context.
 */
extern void aiaas_version_read(AiaasNewVersion *version, TimestampTz *created,
							   const AiaasModel *model);

/*
 * Looking after models; all need AIAAS_ADMIN and a writable transaction.
 */
extern void aiaas_model_deploy(const char *name, int version);
extern void aiaas_model_rename(const char *name, const char *new_name);
extern void aiaas_model_comment(const char *name, const char *comment); /* NULL: none */

/*
 * Drop a model ('reviews') or one version ('reviews@3').  The deployed version
 * can go only with the last one, and the last one takes the model with it.
 * A content stays that indexes, columns or constraints are pinned to, or that
 * other versions are applied with.
 */
extern void aiaas_model_drop(const char *reference);

/* Everything that is known of a version, for ai_describe() */
extern Jsonb *aiaas_model_describe(const char *reference);

/*
 * Rights; these need AIAAS_ADMIN, to give a model away AIAAS_OWNER, and a
 * writable transaction.  role may be "public", except as an owner.
 */
extern void aiaas_model_grant(const char *name, const char *role, const char *privilege);
extern void aiaas_model_revoke(const char *name, const char *role, const char *privilege);
extern void aiaas_model_give(const char *name, const char *role);

/*
 * Has role this privilege?  NULL is the user, whose rights are looked at in any
 * case: of a model that is hidden from him he learns nothing about others.
 */
extern bool aiaas_model_has_privilege(const char *role, const char *reference,
									  const char *privilege);

#endif							/* AIAAS_CATALOG_H */
