/*-------------------------------------------------------------------------
 * core_text.c
 *		How long the core alone takes to label a file of texts.
 *
 * usage: bench_core_text MODEL TEXTS PASSES
 *
 * MODEL holds a text classifier's bytes.  TEXTS holds, for every text, its
 * length as a 32-bit integer of this machine, then its bytes.  Prints the
 * fastest pass, in seconds of CPU time per text, and the number of texts.
 *-------------------------------------------------------------------------
 */
#include "core/model/text_classifier.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct File
{
	char	   *bytes;
	size_t		size;
} File;

static void
stop(const char *what, const char *why)
{
	fprintf(stderr, "%s: %s\n", what, why);
	exit(1);
}

static File
read_file(const char *path)
{
	File		file = {NULL, 0};
	FILE	   *in = fopen(path, "rb");
	long		size;

	if (in == NULL || fseek(in, 0, SEEK_END) != 0 || (size = ftell(in)) < 0)
		stop(path, "cannot be read");
	rewind(in);
	file.size = (size_t) size;
	file.bytes = ai_host_alloc(ai_malloc_host(), file.size);
	if (file.bytes == NULL || fread(file.bytes, 1, file.size, in) != file.size)
		stop(path, "cannot be read");
	fclose(in);
	return file;
}

static double
cpu_seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double) t.tv_sec + 1e-9 * (double) t.tv_nsec;
}

/* One pass over the texts; how many there are */
static long
label_all(const AiTextClassifier *model, AiTextScratch *scratch, File texts)
{
	long		n_texts = 0;
	AiError		err;

	for (size_t at = 0; at < texts.size; n_texts++)
	{
		uint32_t	len;
		int			best;

		memcpy(&len, texts.bytes + at, sizeof(len));
		at += sizeof(len);
		if (ai_text_classifier_run(model, scratch, NULL, &best,
								   texts.bytes + at, len, NULL, &err) != AI_OK)
			stop("text", err.message);
		at += len;
	}
	return n_texts;
}

int
main(int argc, char **argv)
{
	const AiHost *host = ai_malloc_host();
	AiTextClassifier *model;
	AiTextScratch *scratch;
	AiError		err;
	double		fastest = 0;
	long		n_texts = 0;

	if (argc != 4)
		stop("usage", "bench_core_text MODEL TEXTS PASSES");

	File		bytes = read_file(argv[1]);
	File		texts = read_file(argv[2]);

	if (ai_text_classifier_open(&model, host, bytes.bytes, bytes.size, &err) != AI_OK ||
		ai_text_scratch_create(&scratch, model, host, &err) != AI_OK)
		stop(argv[1], err.message);

	for (int pass = 0; pass < atoi(argv[3]); pass++)
	{
		double		start = cpu_seconds();

		n_texts = label_all(model, scratch, texts);

		double		taken = cpu_seconds() - start;

		if (pass == 0 || taken < fastest)
			fastest = taken;
	}
	if (n_texts == 0)
		stop(argv[2], "holds no text");
	printf("%.9f %ld\n", fastest / (double) n_texts, n_texts);

	ai_text_scratch_destroy(scratch);
	ai_text_classifier_close(model);
	ai_host_release(host, texts.bytes);
	ai_host_release(host, bytes.bytes);
	return 0;
}
