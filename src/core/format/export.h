/*-------------------------------------------------------------------------
 * export.h
 *		A model on its way from one server to another.
 *
 * One aim block of kind "aiaas.export" with two entries:
 *
 *	content		u8 [n]	the model's own bytes as they are stored, themselves a block
 *	manifest	u8 [m]	what the server knows of it: one JSON object in UTF-8
 *
 * The content comes first, at byte AI_EXPORT_HEAD_SIZE, so that it is aligned
 * where the block is.  An export is written in a stream: the head follows from
 * the two sizes, and the tail from the manifest, so nobody holds the content.
 *-------------------------------------------------------------------------
 */
#ifndef AI_EXPORT_H
#define AI_EXPORT_H

#include "core/base/buf.h"
#include "core/format/aim.h"

#define AI_EXPORT_KIND "aiaas.export"
#define AI_EXPORT_HEAD_SIZE 320 /* header and directory, bytes */
#define AI_EXPORT_MAX_MANIFEST (16 * 1024 * 1024)	/* bytes */

/*
 * Writing: head, content, tail are what AiAimWriter would make of the two
 * entries.  AI_ERR_LIMIT when the manifest is too long.
 */
extern AiCode ai_export_head(uint8_t head[AI_EXPORT_HEAD_SIZE], const AiHost *host,
							 size_t content_size, size_t manifest_size, AiError *err);

/* Appended to tail */
extern AiCode ai_export_tail(AiBuf *tail, size_t content_size,
							 const char *manifest, size_t manifest_size, AiError *err);

/*
 * Reading.  Bytes from anywhere: AI_ERR_FORMAT, with a hint where they are no
 * export at all, and AI_ERR_UNSUPPORTED for one of a later format.
 */
typedef struct AiExportSizes
{
	size_t		content;
	size_t		manifest;
	size_t		whole;
} AiExportSizes;

/*
 * What the first bytes say, which need not be aligned; those beyond the head are
 * not looked at.  The sizes are consistent, and as large as the head claims.
 */
extern AiCode ai_export_sizes(AiExportSizes *sizes, const void *bytes, size_t n_bytes,
							  AiError *err);

/* All borrowed from the bytes */
typedef struct AiExport
{
	const void *content;		/* 64-byte aligned */
	size_t		content_size;
	const char *manifest;		/* not terminated, any bytes at all */
	size_t		manifest_size;
} AiExport;

/* bytes must be 64-byte aligned; what the two entries hold is not looked at. */
extern AiCode ai_export_open(AiExport *opened, const void *bytes, size_t size, AiError *err);

#endif							/* AI_EXPORT_H */
