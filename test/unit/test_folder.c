/*-------------------------------------------------------------------------
 * test_folder.c
 *		Checkpoints made in memory.
 *-------------------------------------------------------------------------
 */
#include "test_folder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test_files.h"

void
folder_init(TestFolder *folder)
{
	*folder = (TestFolder) {.host = ai_malloc_host()};
}

void
folder_free(TestFolder *folder)
{
	for (int i = 0; i < folder->n; i++)
		ai_buf_free(&folder->files[i]);
	folder->n = 0;
}

/* The file of this path, empty */
static AiBuf *
begin_file(TestFolder *folder, const char *path)
{
	int			i = 0;

	while (i < folder->n && strcmp(folder->paths[i], path) != 0)
		i++;
	if (i == FOLDER_MAX_FILES)
		abort();
	if (i < folder->n)
		ai_buf_free(&folder->files[i]);
	else
		folder->n++;
	snprintf(folder->paths[i], sizeof(folder->paths[i]), "%s", path);
	ai_buf_init(&folder->files[i], folder->host);
	return &folder->files[i];
}

void
folder_text(TestFolder *folder, const char *path, const char *text)
{
	if (ai_buf_append(begin_file(folder, path), text, strlen(text), NULL) != AI_OK)
		abort();
}

void
folder_weights(TestFolder *folder, const char *path, const char *tensors)
{
	char	   *header = calloc(1, 4 * strlen(tensors) + 100 * strlen(tensors) + 100);
	char	   *at = header;
	size_t		n = 0;
	float	   *numbers;

	at += sprintf(at, "{\"__metadata__\":{}");
	while (*tensors != '\0')
	{
		size_t		len = strcspn(tensors, " ;");
		size_t		n_elements = 1;
		const char *comma = "";

		at += sprintf(at, ",\"%.*s\":{\"dtype\":\"F32\",\"shape\":[", (int) len, tensors);
		tensors += len;
		while (*tensors == ' ')
		{
			char	   *end;
			size_t		dim = strtoul(tensors, &end, 10);

			tensors = end;
			n_elements *= dim;
			at += sprintf(at, "%s%zu", comma, dim);
			comma = ",";
		}
		at += sprintf(at, "],\"data_offsets\":[%zu,%zu]}", 4 * n, 4 * (n + n_elements));
		n += n_elements;
		tensors++;				/* the semicolon */
	}
	strcpy(at, "}");
	numbers = malloc((n + 1) * sizeof(float));
	for (size_t i = 0; i < n; i++)
		numbers[i] = (float) i;
	files_safetensors(begin_file(folder, path), header, numbers, n * sizeof(float));
	free(numbers);
	free(header);
}

char *
folder_repeat(const char *text, int n)
{
	char	   *repeated = malloc((size_t) n * strlen(text) + 1);
	char	   *to = repeated;

	for (int i = 0; i < n; i++)
	{
		for (const char *c = text; *c != '\0'; c++)
			*to++ = *c == '%' ? (char) ('0' + i) : *c;
	}
	*to = '\0';
	return repeated;
}

AiCode
folder_open(AiCheckpoint *checkpoint, const TestFolder *folder, const AiHost *host, AiError *err)
{
	ai_checkpoint_init(checkpoint, host);
	for (int i = 0; i < folder->n; i++)
	{
		AiSource	source = files_read_source(&folder->files[i]);

		AI_TRY(ai_checkpoint_add(checkpoint, folder->paths[i], &source, err));
	}
	return ai_checkpoint_open(checkpoint, err);
}
