/*-------------------------------------------------------------------------
 * fuzz_tar.c
 *		Any bytes are refused as a tar archive, or are entries inside of them with clean names.
 *
 * The corpus begins with
 *
 *	build/core/test_tar --write-corpus test/fuzz/corpus/fuzz_tar
 *
 * Sums are made right first, or hardly anything would come past them.
 *-------------------------------------------------------------------------
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/format/tar.h"

#define BLOCK 512
#define SUM_AT 148				/* in a header */

extern int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(bool claim, const char *what)
{
	if (!claim)
	{
		fprintf(stderr, "%s\n", what);
		abort();
	}
}

/* In every block, since any may be a header */
static void
set_sums(uint8_t *bytes, size_t size)
{
	for (size_t at = 0; at + BLOCK <= size; at += BLOCK)
	{
		unsigned	sum = 0;

		/* a block of zeros stays one, and the fuzzer can leave a wrong sum */
		if (bytes[at] == 0 || bytes[at + SUM_AT] == 'x')
			continue;
		memset(bytes + at + SUM_AT, ' ', 8);
		for (size_t i = 0; i < BLOCK; i++)
			sum += bytes[at + i];
		snprintf((char *) bytes + at + SUM_AT, 8, "%06o", sum & 0777777);
	}
}

static void
check_entry(const AiTarEntry *entry, const uint8_t *bytes, size_t size)
{
	char		wrapped[AI_TAR_MAX_NAME + 3];
	volatile uint8_t sum = 0;

	snprintf(wrapped, sizeof(wrapped), "/%s/", entry->name);
	check(entry->name[0] != '/' && strstr(wrapped, "/../") == NULL &&
		  strstr(wrapped, "/./") == NULL, "a name that is not clean");
	check(entry->content.memory == bytes && entry->content.start <= size &&
		  entry->content.size <= size - entry->content.start, "content out of bounds");
	for (uint64_t i = 0; i < entry->content.size; i++)
		sum += bytes[entry->content.start + i];
	(void) sum;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t    *bytes = malloc(size > 0 ? size : 1);
	AiSource	source = ai_source_of_memory(bytes, size);
	AiError		err = {.message = ""};
	AiTar		tar;
	AiTarEntry	entry;
	bool		has_entry = true;
	AiCode		code = AI_OK;

	if (size > 0)
		memcpy(bytes, data, size);
	set_sums(bytes, size);
	(void) ai_tar_is_likely(bytes, size);
	ai_tar_init(&tar, ai_malloc_host(), &source);
	while (code == AI_OK && has_entry)
	{
		code = ai_tar_next(&tar, &entry, &has_entry, &err);
		if (code == AI_OK && has_entry)
			check_entry(&entry, bytes, size);
	}
	check(code == AI_OK || err.message[0] != '\0', "an error without a message");
	ai_tar_free(&tar);
	free(bytes);
	return 0;
}
