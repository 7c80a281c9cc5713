/*-------------------------------------------------------------------------
 * test_golden.h
 *		Reading numbers from golden files.
 *
 * Include it after cmocka.h.
 *-------------------------------------------------------------------------
 */
#ifndef AI_TEST_GOLDEN_H
#define AI_TEST_GOLDEN_H

#include <stdio.h>
#include <stdlib.h>

/* A file whose first line, a comment, has been read */
static inline FILE *
golden_open(const char *path)
{
	FILE	   *file = fopen(path, "r");

	if (file == NULL)
		fail_msg("cannot open %s", path);
	assert_int_equal(fscanf(file, "#%*[^\n]"), 0);
	return file;
}

/* fscanf does not read nan and inf everywhere, strtod does */
static inline double
golden_number(FILE *file)
{
	char		word[64];

	assert_int_equal(fscanf(file, "%63s", word), 1);
	return strtod(word, NULL);
}

static inline void
golden_floats(FILE *file, float *number, size_t n)
{
	for (size_t i = 0; i < n; i++)
		number[i] = (float) golden_number(file);
}

static inline void
golden_doubles(FILE *file, double *number, size_t n)
{
	for (size_t i = 0; i < n; i++)
		number[i] = golden_number(file);
}

#endif							/* AI_TEST_GOLDEN_H */
