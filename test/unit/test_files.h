/*-------------------------------------------------------------------------
 * test_files.h
 *		Safetensors files and tar archives, right and wrong ones, made in memory.
 *-------------------------------------------------------------------------
 */
#ifndef AI_TEST_FILES_H
#define AI_TEST_FILES_H

#include "core/base/buf.h"
#include "core/format/source.h"

/* A file whose header is this text and whose data are these bytes */
extern void files_safetensors(AiBuf *file, const char *header, const void *data, size_t size);

/* One entry; a wrong one is made by changing the bytes and calling files_tar_sum */
extern void files_tar_entry(AiBuf *tar, const char *name, char type, const void *content,
							size_t size);
extern void files_tar_end(AiBuf *tar);

/* Set the sum of the header at this byte */
extern void files_tar_sum(AiBuf *tar, size_t at);

/* The same bytes through a callback, which aborts on reads out of bounds */
extern AiSource files_read_source(const AiBuf *file);

/* For the corpora of fuzzers; ends the program when that fails */
extern void files_write(const char *directory, const char *name, const AiBuf *file);

#endif							/* AI_TEST_FILES_H */
