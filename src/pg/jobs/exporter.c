/*-------------------------------------------------------------------------
 * exporter.c
 *		A stored version as bytes for another server.
 *
 * Memory holds one part, one chunk and the manifest: the rest is in the rows,
 * which spill to disk.
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "pg/jobs/exporter.h"

#include "core/format/export.h"

#include "pg/catalog/catalog.h"
#include "pg/host/compat.h"
#include "pg/host/host.h"
#include "pg/host/raise.h"
#include "pg/jobs/manifest.h"
#include "pg/stats/stats.h"

#define PART_SIZE ((size_t) 1024 * 1024)

typedef struct PartWriter
{
	AiaasRows  *rows;
	int32		seq;
	bytea	   *part;			/* room for PART_SIZE */
	size_t		n_bytes;		/* in it */
} PartWriter;

static void
put_part(PartWriter *writer)
{
	Datum		values[2] = {Int32GetDatum(writer->seq++), PointerGetDatum(writer->part)};
	bool		is_null[2] = {false};

	CHECK_FOR_INTERRUPTS();
	SET_VARSIZE(writer->part, VARHDRSZ + writer->n_bytes);
	aiaas_rows_put(writer->rows, values, is_null);
	writer->n_bytes = 0;
}

static void
write_bytes(void *arg, const void *bytes, size_t n_bytes)
{
	PartWriter *writer = arg;
	const char *from = bytes;

	while (n_bytes > 0)
	{
		size_t		n = Min(n_bytes, PART_SIZE - writer->n_bytes);

		memcpy(VARDATA(writer->part) + writer->n_bytes, from, n);
		writer->n_bytes += n;
		from += n;
		n_bytes -= n;
		if (writer->n_bytes == PART_SIZE)
			put_part(writer);
	}
}

void
aiaas_export(AiaasRows *rows, const char *reference)
{
	const AiaasModel *model = aiaas_model_resolve(reference, AIAAS_READ);
	const AiHost *host = aiaas_host_create(CurrentMemoryContext);
	PartWriter	writer = {.rows = rows, .part = palloc(VARHDRSZ + PART_SIZE)};
	uint8_t		head[AI_EXPORT_HEAD_SIZE];
	size_t		manifest_size;
	const char *manifest = aiaas_manifest_write(model, &manifest_size);
	AiBuf		tail;
	AiError		err;

	aiaas_activity_begin("ai_export", model->name, model->version);
	ai_buf_init(&tail, host);
	AIAAS_CHECK(ai_export_head(head, host, (size_t) model->n_bytes, manifest_size, &err), &err);
	AIAAS_CHECK(ai_export_tail(&tail, (size_t) model->n_bytes, manifest, manifest_size, &err),
				&err);
	write_bytes(&writer, head, sizeof(head));
	aiaas_content_scan(model, write_bytes, &writer);
	write_bytes(&writer, tail.data, tail.len);
	if (writer.n_bytes > 0)
		put_part(&writer);
	aiaas_activity_end();
}
