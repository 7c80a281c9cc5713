/*-------------------------------------------------------------------------
 * export.c
 *		A model on its way from one server to another.
 *
 * The layout of a block is known in aim.c only: the writer makes the head of a
 * block whose content it never sees, and the reader checks it.
 *-------------------------------------------------------------------------
 */
#include "core/format/export.h"

#include <inttypes.h>
#include <string.h>

#define CONTENT "content"
#define MANIFEST "manifest"

/* Where every block of aim begins; aim.c says what is wrong with what follows. */
#define BEGINNING "\x89" "AIM"
#define BEGINNING_SIZE 4

/*
 * Writing
 */
static AiCode
write_head(AiAimWriter *writer, uint8_t *head, size_t content_size, size_t manifest_size,
		   AiError *err)
{
	int64_t		n_content = (int64_t) content_size;
	int64_t		n_manifest = (int64_t) manifest_size;
	const void *front;
	size_t		front_size;
	size_t		size;

	AI_TRY(ai_aim_reserve(writer, CONTENT, AI_DTYPE_U8, 1, &n_content, err));
	AI_TRY(ai_aim_reserve(writer, MANIFEST, AI_DTYPE_U8, 1, &n_manifest, err));
	AI_TRY(ai_aim_finish_front(writer, &front, &front_size, &size, err));
	AI_ASSERT(front_size == AI_EXPORT_HEAD_SIZE);
	memcpy(head, front, AI_EXPORT_HEAD_SIZE);
	return AI_OK;
}

AiCode
ai_export_head(uint8_t head[AI_EXPORT_HEAD_SIZE], const AiHost *host,
			   size_t content_size, size_t manifest_size, AiError *err)
{
	AiAimWriter writer;
	AiCode		code;

	if (manifest_size > AI_EXPORT_MAX_MANIFEST)
		return ai_fail(err, AI_ERR_LIMIT,
					   "what is known of the model takes %zu bytes, more than %d",
					   manifest_size, AI_EXPORT_MAX_MANIFEST);
	ai_aim_writer_init(&writer, host, AI_EXPORT_KIND);
	code = write_head(&writer, head, content_size, manifest_size, err);
	ai_aim_writer_free(&writer);
	return code;
}

static AiCode
append_padding(AiBuf *buf, size_t size, AiError *err)
{
	static const uint8_t zeros[AI_ALIGNMENT] = {0};

	return ai_buf_append(buf, zeros, ai_align_size(size) - size, err);
}

AiCode
ai_export_tail(AiBuf *tail, size_t content_size,
			   const char *manifest, size_t manifest_size, AiError *err)
{
	AI_TRY(append_padding(tail, content_size, err));
	AI_TRY(ai_buf_append(tail, manifest, manifest_size, err));
	return append_padding(tail, manifest_size, err);
}

/*
 * Reading
 */
static AiCode
hint_at_source(AiError *err)
{
	ai_hint(err, "Import what ai_export() has written: all of its parts, in their order.");
	return AI_ERR_FORMAT;
}

static AiCode
check_shape(AiExportSizes *sizes, const AiAim *aim, AiError *err)
{
	int64_t		n_content;
	int64_t		n_manifest;

	AI_TRY(ai_aim_shape(aim, &n_content, CONTENT, AI_DTYPE_U8, 1, err));
	AI_TRY(ai_aim_shape(aim, &n_manifest, MANIFEST, AI_DTYPE_U8, 1, err));
	if (aim->n_entries != 2)
		return ai_fail(err, AI_ERR_FORMAT, "invalid exported model: it has %" PRId64 " entries",
					   aim->n_entries);
	if (n_manifest > AI_EXPORT_MAX_MANIFEST)
		return ai_fail(err, AI_ERR_FORMAT,
					   "invalid exported model: its manifest has %" PRId64 " bytes, more than %d",
					   n_manifest, AI_EXPORT_MAX_MANIFEST);
	*sizes = (AiExportSizes) {(size_t) n_content, (size_t) n_manifest, aim->size};
	return AI_OK;
}

AiCode
ai_export_sizes(AiExportSizes *sizes, const void *bytes, size_t n_bytes, AiError *err)
{
	_Alignas(AI_ALIGNMENT) uint8_t head[AI_EXPORT_HEAD_SIZE] = {0};
	AiAim		aim;
	AiCode		code;

	if (n_bytes < BEGINNING_SIZE || memcmp(bytes, BEGINNING, BEGINNING_SIZE) != 0)
	{
		ai_fail(err, AI_ERR_FORMAT, "the bytes are not a model that aiaas can read");
		return hint_at_source(err);
	}
	if (n_bytes > AI_EXPORT_HEAD_SIZE)
		n_bytes = AI_EXPORT_HEAD_SIZE;
	memcpy(head, bytes, n_bytes);
	code = ai_aim_open_front(&aim, AI_EXPORT_KIND, head, n_bytes, err);
	if (code == AI_ERR_FORMAT)
		return hint_at_source(err);
	AI_TRY(code);
	return check_shape(sizes, &aim, err);
}

AiCode
ai_export_open(AiExport *opened, const void *bytes, size_t size, AiError *err)
{
	AiExportSizes sizes;
	AiAim		aim;
	const void *manifest;
	int64_t		n;

	AI_TRY(ai_aim_open(&aim, bytes, size, err));
	AI_TRY(ai_aim_check_kind(&aim, AI_EXPORT_KIND, err));
	AI_TRY(check_shape(&sizes, &aim, err));
	AI_TRY(ai_aim_array(&aim, &opened->content, &n, CONTENT, AI_DTYPE_U8, 1, err));
	AI_TRY(ai_aim_array(&aim, &manifest, &n, MANIFEST, AI_DTYPE_U8, 1, err));
	opened->content_size = sizes.content;
	opened->manifest = manifest;
	opened->manifest_size = sizes.manifest;
	return AI_OK;
}
