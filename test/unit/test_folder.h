/*-------------------------------------------------------------------------
 * test_folder.h
 *		Checkpoints made in memory, for tests of what reads them.
 *-------------------------------------------------------------------------
 */
#ifndef AI_TEST_FOLDER_H
#define AI_TEST_FOLDER_H

#include "core/format/checkpoint.h"

#define FOLDER_MAX_FILES 20

typedef struct TestFolder
{
	const AiHost *host;
	int			n;
	char		paths[FOLDER_MAX_FILES][100];
	AiBuf		files[FOLDER_MAX_FILES];
} TestFolder;

extern void folder_init(TestFolder *folder);
extern void folder_free(TestFolder *folder);

/* A file of text, in the place of what is there */
extern void folder_text(TestFolder *folder, const char *path, const char *text);

/*
 * A file of weights: "NAME DIM DIM;" for each tensor of F32, whose numbers are 0, 1, 2 ...
 * through the whole file
 */
extern void folder_weights(TestFolder *folder, const char *path, const char *tensors);

/* A text in which every % is the next number from 0 to n - 1: the layers of a model */
extern char *folder_repeat(const char *text, int n);

/* All files, through callbacks; to be freed by ai_checkpoint_free, also after a failure */
extern AiCode folder_open(AiCheckpoint *checkpoint, const TestFolder *folder, const AiHost *host,
						  AiError *err);

#endif							/* AI_TEST_FOLDER_H */
