/*-------------------------------------------------------------------------
 * importer.c
 *		Bytes from elsewhere become a new version of a model.
 *
 * Recognise, collect, check, store.  The bytes of an export are collected where the
 * model's own reader takes them, so memory holds them once; files of a checkpoint are
 * read where they are.
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "pg/jobs/importer.h"

#include "lib/stringinfo.h"
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
#include "pg/jobs/gate.h"
#include "pg/jobs/importer_internal.h"
#include "pg/jobs/limits.h"
#include "pg/stats/stats.h"

/* Between two looks at interrupts */
#define PIECE_SIZE ((size_t) 1024 * 1024)

/*
 * Begin
 */
static const char *
list_precisions(void)
{
	StringInfoData list;

	initStringInfo(&list);
	for (int i = 0; i < AI_N_PRECISIONS; i++)
		appendStringInfo(&list, "%s\"%s\"", i == 0 ? "" : i == AI_N_PRECISIONS - 1 ? " and " : ", ",
						 ai_precision_name((AiPrecision) i));
	return list.data;
}

AiPrecision
aiaas_precision_parse(const char *name)
{
	AiPrecision precision = AI_PRECISION_FP32;

	if (!ai_precision_find(&precision, name))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("there is no precision \"%s\"", name),
				 errhint("The precisions are %s.", list_precisions())));
	return precision;
}

AiaasImporter *
aiaas_importer_begin(const char *model, const char *precision)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "aiaas import",
												  ALLOCSET_DEFAULT_SIZES);
	AiaasImporter *importer = MemoryContextAllocZero(context, sizeof(AiaasImporter));

	aiaas_require_writable("ai_import()");
	importer->context = context;
	importer->host = aiaas_host_create(context);
	aiaas_activity_phase("receiving");
	if (model != NULL)
	{
		aiaas_model_check_trainable(model);
		importer->model = MemoryContextStrdup(context, model);
	}
	importer->has_precision = precision != NULL;
	if (precision != NULL)
		importer->precision = aiaas_precision_parse(precision);
	return importer;
}

/*
 * What it is
 */
static void
begin_export(AiaasImporter *importer)
{
	importer->form = AIAAS_IMPORT_EXPORT;
	if (importer->has_precision)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("an exported model is imported in the precision that it has"),
				 errhint("Leave weights out, and use ai_quantize() once it is imported.")));
}

static void
begin_checkpoint(AiaasImporter *importer)
{
	importer->form = AIAAS_IMPORT_CHECKPOINT;
	if (importer->model == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("model must not be null"),
				 errdetail("Only a model that ai_export() has written brings its name with it."),
				 errhint("Say what the model is to be called.")));
	ai_checkpoint_init(&importer->checkpoint, importer->host);
}

/* From its first bytes, AI_MAGIC_SIZE of them or all */
static void
recognise(AiaasImporter *importer, const void *bytes, size_t n)
{
	AiMagic		magic = ai_magic(bytes, n);
	AiError		err;

	if (magic == AI_MAGIC_OTHER)
		AIAAS_CHECK(ai_magic_refuse(bytes, n, &err), &err);
	if (magic == AI_MAGIC_AIM)
		begin_export(importer);
	else
		begin_checkpoint(importer);
}

/*
 * An export: collected where the model's own reader takes it
 */
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

/* The first bytes are there: make room for what they announce, if that can be. */
static void
make_room(AiaasImporter *importer, const void *begin, size_t n_begin)
{
	AiExportSizes *sizes = &importer->sizes;
	AiError		err;

	AIAAS_CHECK(ai_export_sizes(sizes, begin, n_begin, &err), &err);
	aiaas_check_model_size(sizes->content);
	importer->bytes = aiaas_alloc_aligned(importer->context, sizes->whole);
	if (importer->bytes == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("out of memory"),
				 errdetail("Failed while reserving %zu bytes for an exported model.",
						   sizes->whole)));
}

/* Of a stream */
static void
receive_export(AiaasImporter *importer, const char *from, size_t n_bytes)
{
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

/* All of it */
static void
read_export(AiaasImporter *importer, const AiSource *source)
{
	size_t		whole = importer->sizes.whole;
	AiError		err;

	if (source->size != whole)
		reject_size(importer, source->size);
	while (importer->n_received < whole)
	{
		size_t		n = Min(whole - importer->n_received, PIECE_SIZE);

		CHECK_FOR_INTERRUPTS();
		AIAAS_CHECK(ai_source_read(source, importer->bytes + importer->n_received,
								   importer->n_received, n, &err), &err);
		importer->n_received += n;
	}
}

/*
 * Sources
 */
static AiCode
read_spill(void *ud, void *to, uint64_t offset, size_t n, AiError *err)
{
	const AiSpill *spill = ud;

	aiaas_activity_bytes((int64) n);
	return spill->read(spill->ud, offset, to, n) ? AI_OK :
		ai_fail(err, AI_ERR_DATA, "could not read a temporary file");
}

static void
add_tar(AiaasImporter *importer, const AiSource *source)
{
	AiError		err;

	aiaas_activity_phase("reading");
	AIAAS_CHECK(ai_checkpoint_add_tar(&importer->checkpoint, source, &err), &err);
}

/* The bytes of a stream that have come since it is known what it is */
static void
receive(AiaasImporter *importer, const void *bytes, size_t n_bytes)
{
	if (importer->form == AIAAS_IMPORT_EXPORT)
	{
		receive_export(importer, bytes, n_bytes);
		return;
	}
	aiaas_activity_bytes((int64) n_bytes);
	if (!importer->spill.append(importer->spill.ud, bytes, n_bytes))
		aiaas_host_check(importer->host);
}

/* The beginning of a stream, or all of it, is there. */
static void
begin_stream(AiaasImporter *importer)
{
	MemoryContext old_context = MemoryContextSwitchTo(importer->context);

	recognise(importer, importer->begin, importer->n_begin);
	if (importer->form == AIAAS_IMPORT_EXPORT)
		make_room(importer, importer->begin, importer->n_begin);
	else
		aiaas_spill_init(&importer->spill, importer->host);
	receive(importer, importer->begin, importer->n_begin);
	MemoryContextSwitchTo(old_context);
}

void
aiaas_importer_add(AiaasImporter *importer, const void *bytes, size_t n_bytes)
{
	const char *from = bytes;

	if (importer->form == AIAAS_IMPORT_UNKNOWN)
	{
		size_t		n = Min(n_bytes, AI_MAGIC_SIZE - importer->n_begin);

		memcpy(importer->begin + importer->n_begin, from, n);
		importer->n_begin += n;
		from += n;
		n_bytes -= n;
		if (importer->n_begin < AI_MAGIC_SIZE)
			return;
		begin_stream(importer);
	}
	if (n_bytes > 0)
		receive(importer, from, n_bytes);
}

void
aiaas_importer_end(AiaasImporter *importer)
{
	if (importer->form == AIAAS_IMPORT_UNKNOWN)
		begin_stream(importer);
	if (importer->form == AIAAS_IMPORT_EXPORT)
	{
		if (importer->n_received < importer->sizes.whole)
			reject_size(importer, importer->n_received);
	}
	else
	{
		AiSource	source = {.read = read_spill, .ud = &importer->spill};

		source.size = aiaas_spill_size(&importer->spill);
		add_tar(importer, &source);
	}
}

void
aiaas_importer_open(AiaasImporter *importer, const AiSource *source)
{
	uint8		begin[AI_MAGIC_SIZE];
	size_t		n = (size_t) Min(source->size, AI_MAGIC_SIZE);
	AiError		err;

	AIAAS_CHECK(ai_source_read(source, begin, 0, n, &err), &err);
	recognise(importer, begin, n);
	if (importer->form == AIAAS_IMPORT_EXPORT)
	{
		make_room(importer, begin, n);
		read_export(importer, source);
	}
	else
		add_tar(importer, source);
}

AiCheckpoint *
aiaas_importer_open_folder(AiaasImporter *importer)
{
	begin_checkpoint(importer);
	aiaas_activity_phase("reading");
	return &importer->checkpoint;
}

/*
 * Check
 */
static void
open_envelope(AiaasImporter *importer)
{
	AiError		err;

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

/*
 * What the model is applied with has to be there, and to be one that the user may use: else
 * an import would be a way round its rights.
 */
static const uint8 *
check_embedder(const AiaasImporter *importer, const uint8 *hash)
{
	const char *name = importer->manifest.embedder;

	if (aiaas_model_find_content(hash, AIAAS_USE) == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("the embedder of exported model \"%s\" does not exist",
						importer->manifest.name),
				 name != NULL ?
				 errdetail("It learnt from embeddings by model \"%s\", of content %s.", name,
						   aiaas_hash_hex(hash)) :
				 errdetail("It learnt from embeddings by the model of content %s.",
						   aiaas_hash_hex(hash)),
				 errhint("Import that model first, in the same precision, or ask for the right "
						 "to use it.")));
	return memcpy(palloc(AIAAS_HASH_SIZE), hash, AIAAS_HASH_SIZE);
}

/* With all the checks that a model passes before it is used */
static void
check_content(AiaasImporter *importer)
{
	const AiHost *host = aiaas_host_create(importer->context);
	AiaasNewVersion *stored = &importer->manifest.stored;
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
	if (kind->embedder != NULL && kind->embedder(model) != NULL)
		stored->needs = check_embedder(importer, kind->embedder(model));
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

/* An export becomes what it says it is. */
static void
take_export(AiaasImporter *importer)
{
	aiaas_activity_phase("checking");
	open_envelope(importer);
	check_hash(importer);
	check_content(importer);
	importer->version = importer->manifest.stored;
	importer->version.lineage = create_lineage(&importer->manifest);
	importer->version.bytes = importer->opened.content;
	importer->version.n_bytes = importer->opened.content_size;
}

static void
store_version(AiaasImporter *importer, bool deploy, AiaasImportResult *result)
{
	AiaasModelLock lock;

	aiaas_activity_phase("storing");
	aiaas_model_lock(&lock, importer->model != NULL ? importer->model : importer->manifest.name);
	strlcpy(result->model, lock.name, sizeof(result->model));
	result->version = lock.version;
	result->is_deployed = deploy || lock.version == 1;
	aiaas_version_store(&lock, &importer->version, result->is_deployed);
}

void
aiaas_importer_finish(AiaasImporter *importer, bool deploy, AiaasImportResult *result)
{
	MemoryContext old_context = MemoryContextSwitchTo(importer->context);

	if (importer->form == AIAAS_IMPORT_EXPORT)
		take_export(importer);
	else
		aiaas_import_encoder(importer);
	if (importer->spill.ud != NULL)
		aiaas_spill_close(&importer->spill);
	store_version(importer, deploy, result);
	MemoryContextSwitchTo(old_context);

	result->algorithm = pstrdup(importer->version.algorithm);
	result->task = pstrdup(importer->version.task);
	result->n_labels = count_labels(importer->version.labels);
	result->n_bytes = (int64) importer->version.n_bytes;
	MemoryContextDelete(importer->context);
	if (!result->is_deployed)
		aiaas_notice_not_deployed(result->model, result->version, "imported");
}
