/*-------------------------------------------------------------------------
 * test_files.c
 *		Safetensors files and tar archives made in memory.
 *-------------------------------------------------------------------------
 */
#include "test_files.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK 512

static void
append(AiBuf *file, const void *bytes, size_t size)
{
	if (ai_buf_append(file, bytes, size, NULL) != AI_OK)
		abort();
}

void
files_safetensors(AiBuf *file, const char *header, const void *data, size_t size)
{
	uint64_t	header_size = strlen(header);

	append(file, &header_size, sizeof(header_size));
	append(file, header, (size_t) header_size);
	append(file, data, size);
}

void
files_tar_sum(AiBuf *tar, size_t at)
{
	uint8_t    *header = tar->data + at;
	unsigned	sum = 0;

	memset(header + 148, ' ', 8);
	for (int i = 0; i < BLOCK; i++)
		sum += header[i];
	snprintf((char *) header + 148, 8, "%06o", sum & 0777777);
}

void
files_tar_entry(AiBuf *tar, const char *name, char type, const void *content, size_t size)
{
	static const char zeros[BLOCK];
	char		header[BLOCK] = {0};
	size_t		at = tar->len;
	size_t		name_len = strlen(name);

	memcpy(header, name, name_len < 100 ? name_len : 100);
	memcpy(header + 100, "0000644", 7);
	snprintf(header + 124, 12, "%011zo", size);
	header[156] = type;
	memcpy(header + 257, "ustar\00000", 8);
	append(tar, header, BLOCK);
	files_tar_sum(tar, at);
	append(tar, content, size);
	append(tar, zeros, (BLOCK - size % BLOCK) % BLOCK);
}

void
files_tar_end(AiBuf *tar)
{
	static const char zeros[2 * BLOCK];

	append(tar, zeros, sizeof(zeros));
}

static AiCode
read_buf(void *ud, void *to, uint64_t offset, size_t n, AiError *err)
{
	const AiBuf *file = ud;

	(void) err;
	if (n == 0 || offset > file->len || n > file->len - offset)
		abort();
	memcpy(to, file->data + offset, n);
	return AI_OK;
}

AiSource
files_read_source(const AiBuf *file)
{
	return (AiSource) {.read = read_buf, .ud = (void *) file, .size = file->len};
}

void
files_write(const char *directory, const char *name, const AiBuf *file)
{
	char		path[1024];
	FILE	   *out;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	out = fopen(path, "wb");
	if (out == NULL || fwrite(file->data, 1, file->len, out) != file->len || fclose(out) != 0)
	{
		perror(path);
		exit(1);
	}
}
