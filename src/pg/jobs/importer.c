/*-------------------------------------------------------------------------
 * importer.c
 *		Bytes from another server become a new version of a model.
 *
 * Collect, check, store.  The bytes are collected where the model's own reader
 * takes them, so memory holds them once.
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "pg/jobs/importer.h"

#include "core/format/export.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/memutils.h"

#include "pg/engine/kind.h"
#include "pg/host/compat.h"
#include "pg/host/datum.h"
#include "pg/host/digest.h"
#include "pg/host/host.h"
#include "pg/host/json.h"
#include "pg/host/raise.h"
#include "pg/jobs/importer_internal.h"
#include "pg/jobs/limits.h"
#include "pg/jobs/manifest.h"
#include "pg/stats/stats.h"

/* Between two looks at interrupts */
#define PIECE_SIZE ((size_t) 1024 * 1024)

struct AiaasImporter
{
	MemoryContext context;		/* of all that an import needs */
	const char *model;			/* NULL: named by the manifest */
	uint64		source_size;	/* 0: not known */

	/* Collecting */
	uint8		head[AI_EXPORT_HEAD_SIZE];
	size_t		n_received;
	AiExportSizes sizes;		/* once the head is there */
	char	   *bytes;			/* [sizes.whole], aligned; NULL before */

	/* Checking */
	AiExport	opened;
	AiaasManifest manifest;
};

/*
 * Collect
 */
AiaasImporter *
aiaas_importer_begin(const char *model)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "aiaas import",
												  ALLOCSET_DEFAULT_SIZES);
	AiaasImporter *importer = MemoryContextAllocZero(context, sizeof(AiaasImporter));

	aiaas_require_writable("ai_import()");
	importer->context = context;
	aiaas_activity_phase("receiving");
	if (model != NULL)
	{
		aiaas_model_check_trainable(model);
		importer->model = MemoryContextStrdup(context, model);
	}
	return importer;
}

static _Noreturn void
reject_size(const AiaasImporter *importer, uint64 n_bytes)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
			 n_bytes < importer->sizes.whole ? errmsg("exported model is not complete") :
			 errmsg("exported model is followed by other bytes"),
			 errdetail("It should have %zu bytes, there are " UINT64_FORMAT ".",
					   importer->sizes.whole, n_bytes),
			 errhint("Import all of its parts, in their order.")));
}

void
aiaas_importer_expect(AiaasImporter *importer, uint64 n_bytes)
{
	importer->source_size = n_bytes;
}

/* The head is there: make room for what it announces, if that can be. */
static void
make_room(AiaasImporter *importer)
{
	AiExportSizes *sizes = &importer->sizes;
	AiError		err;

	AIAAS_CHECK(ai_export_sizes(sizes, importer->head, importer->n_received, &err), &err);
	aiaas_check_model_size(sizes->content);
	if (importer->source_size != 0 && importer->source_size != sizes->whole)
		reject_size(importer, importer->source_size);
	importer->bytes = aiaas_alloc_aligned(importer->context, sizes->whole);
	if (importer->bytes == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("out of memory"),
				 errdetail("Failed while reserving %zu bytes for an exported model.",
						   sizes->whole)));
	memcpy(importer->bytes, importer->head, importer->n_received);
}

/* Takes what the head lacks of it; how many bytes that were. */
static size_t
add_to_head(AiaasImporter *importer, const char *bytes, size_t n_bytes)
{
	size_t		n = Min(n_bytes, AI_EXPORT_HEAD_SIZE - importer->n_received);

	memcpy(importer->head + importer->n_received, bytes, n);
	importer->n_received += n;
	if (importer->n_received == AI_EXPORT_HEAD_SIZE)
		make_room(importer);
	return n;
}

void
aiaas_importer_add(AiaasImporter *importer, const void *bytes, size_t n_bytes)
{
	const char *from = bytes;

	if (importer->bytes == NULL)
	{
		size_t		n = add_to_head(importer, from, n_bytes);

		from += n;
		n_bytes -= n;
	}
	if (n_bytes == 0)
		return;
	if (n_bytes > importer->sizes.whole - importer->n_received)
		reject_size(importer, (uint64) importer->n_received + n_bytes);
	while (n_bytes > 0)
	{
		size_t		n = Min(n_bytes, PIECE_SIZE);

		CHECK_FOR_INTERRUPTS();
		memcpy(importer->bytes + importer->n_received, from, n);
		aiaas_activity_bytes(n);
		importer->n_received += n;
		from += n;
		n_bytes -= n;
	}
}

/*
 * Check
 */
static void
open_envelope(AiaasImporter *importer)
{
	AiError		err;

	/* With less than a head it is an error to ask for the sizes. */
	if (importer->bytes == NULL)
		make_room(importer);
	if (importer->n_received < importer->sizes.whole)
		reject_size(importer, importer->n_received);
	AIAAS_CHECK(ai_export_open(&importer->opened, importer->bytes, importer->sizes.whole, &err),
				&err);
	aiaas_manifest_read(&importer->manifest, importer->opened.manifest,
						importer->opened.manifest_size);
}

static void
check_hash(const AiaasImporter *importer)
{
	const AiExport *opened = &importer->opened;
	AiaasDigest *digest = aiaas_digest_create();
	uint8		hash[AIAAS_HASH_SIZE];

	for (size_t done = 0; done < opened->content_size; done += PIECE_SIZE)
	{
		CHECK_FOR_INTERRUPTS();
		aiaas_digest_add(digest, (const char *) opened->content + done,
						 Min(PIECE_SIZE, opened->content_size - done));
		aiaas_activity_bytes(Min(PIECE_SIZE, opened->content_size - done));
	}
	aiaas_digest_end(digest, hash);
	if (memcmp(hash, importer->manifest.hash, AIAAS_HASH_SIZE) != 0 ||
		opened->content_size != (size_t) importer->manifest.n_bytes)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("invalid exported model: its weights do not have their checksum"),
				 errhint("The bytes were damaged on their way, or their parts are not in order. "
						 "Export the model again.")));
}

/* What the manifest says and what the model has must be the same. */
static _Noreturn void
reject_manifest(const char *member)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
			 errmsg("invalid exported model: \"%s\" of its manifest is not that of its weights",
					member)));
}

static void
check_labels(const AiaasKind *kind, const void *model, ArrayType *labels)
{
	int			n_labels = kind->n_labels(model);
	Datum	   *claimed = NULL;
	int			n_claimed = 0;

	if (labels != NULL)
		deconstruct_array(labels, TEXTOID, -1, false, TYPALIGN_INT, &claimed, NULL, &n_claimed);
	if (n_claimed != n_labels)
		reject_manifest("labels");
	for (int i = 0; i < n_labels; i++)
	{
		size_t		len;
		const char *label = kind->label(model, i, &len);
		text	   *actual = aiaas_utf8_to_text(label, len);
		text	   *other = DatumGetTextPP(claimed[i]);

		if (VARSIZE_ANY_EXHDR(actual) != VARSIZE_ANY_EXHDR(other) ||
			memcmp(VARDATA_ANY(actual), VARDATA_ANY(other), VARSIZE_ANY_EXHDR(other)) != 0)
			reject_manifest("labels");
	}
}

/* With all the checks that a model passes before it is used */
static void
check_content(const AiaasImporter *importer)
{
	const AiHost *host = aiaas_host_create(importer->context);
	const AiaasNewVersion *stored = &importer->manifest.stored;
	const AiaasKind *kind = aiaas_kind_find(stored->kind);
	void	   *model;
	AiError		err;

	AIAAS_CHECK(kind->open(&model, host, importer->opened.content,
						   importer->opened.content_size, false, &err), &err);
	check_labels(kind, model, stored->labels);
	if (strcmp(stored->task, aiaas_task_name(kind->task(model))) != 0)
		reject_manifest("task");
	if (!kind->are_features(model, stored->features))
		reject_manifest("features");
	kind->close(model);
}

/*
 * Store
 */

/* The original's, and where the model was before it came here */
static Jsonb *
create_lineage(const AiaasManifest *manifest)
{
	AiaasJson	json = {0};
	Jsonb	   *imported;
	const Jsonb *lineage = manifest->stored.lineage;

	aiaas_json_begin(&json, NULL);
	aiaas_json_begin(&json, "imported");
	aiaas_json_string(&json, "name", manifest->name);
	aiaas_json_int(&json, "version", manifest->version);
	aiaas_json_string(&json, "created", manifest->created);
	aiaas_json_string(&json, "user", GetUserNameFromId(GetUserId(), false));
	aiaas_json_end(&json);
	aiaas_json_end(&json);
	imported = aiaas_json_finish(&json);
	if (lineage == NULL)
		return imported;
	return DatumGetJsonbP(DirectFunctionCall2(jsonb_concat, JsonbPGetDatum(lineage),
											  JsonbPGetDatum(imported)));
}

static int
count_labels(ArrayType *labels)
{
	return labels != NULL ? ArrayGetNItems(ARR_NDIM(labels), ARR_DIMS(labels)) : 0;
}

static void
notice_not_deployed(const AiaasImportResult *result)
{
	char	   *command = psprintf("SELECT ai_deploy(%s, %d)", quote_literal_cstr(result->model),
								   result->version);

	ereport(NOTICE,
			(errmsg("version %d of model \"%s\" was imported and not deployed",
					result->version, result->model),
			 errhint("To deploy it, run %s.", command)));
}

static void
store_version(AiaasImporter *importer, bool deploy, AiaasImportResult *result)
{
	AiaasNewVersion *version = &importer->manifest.stored;
	AiaasModelLock lock;

	version->lineage = create_lineage(&importer->manifest);
	version->bytes = importer->opened.content;
	version->n_bytes = importer->opened.content_size;
	aiaas_model_lock(&lock, importer->model != NULL ? importer->model : importer->manifest.name);
	strlcpy(result->model, lock.name, sizeof(result->model));
	result->version = lock.version;
	result->is_deployed = deploy || lock.version == 1;
	aiaas_version_store(&lock, version, result->is_deployed);
}

void
aiaas_importer_finish(AiaasImporter *importer, bool deploy, AiaasImportResult *result)
{
	MemoryContext old_context = MemoryContextSwitchTo(importer->context);

	aiaas_activity_phase("checking");
	open_envelope(importer);
	check_hash(importer);
	check_content(importer);
	aiaas_activity_phase("storing");
	store_version(importer, deploy, result);
	MemoryContextSwitchTo(old_context);

	result->algorithm = pstrdup(importer->manifest.stored.algorithm);
	result->task = pstrdup(importer->manifest.stored.task);
	result->n_labels = count_labels(importer->manifest.stored.labels);
	result->n_bytes = (int64) importer->opened.content_size;
	MemoryContextDelete(importer->context);
	if (!result->is_deployed)
		notice_not_deployed(result);
}
