/*-------------------------------------------------------------------------
 * checkpoint_weights.c
 *		The weights in a folder of a checkpoint: of one file or of shards.
 *
 * The index of shards says in which file each tensor is.  It must be right: a tensor that
 * it names is in that file, one that it does not name in none, and no two files have
 * one of the same name.
 *-------------------------------------------------------------------------
 */
#include <stdlib.h>
#include <string.h>

#include "core/format/checkpoint.h"

#define SINGLE "model.safetensors"
#define INDEX "model.safetensors.index.json"
#define MAX_SHARDS 1000

static AiCode
no_weights(const AiCheckpoint *checkpoint, const char *folder, AiError *err)
{
	ai_fail(err, AI_ERR_FORMAT, "the model has no file \"%s" SINGLE "\"", folder);
	if (ai_checkpoint_find(checkpoint, folder, "pytorch_model.bin") != NULL)
	{
		ai_detail(err, "There is \"%spytorch_model.bin\", which is not read: "
				  "such a file can run programs.", folder);
		ai_hint(err, "Store the model again with save_pretrained(..., safe_serialization=True).");
	}
	else
		ai_hint(err, "Import a folder of Hugging Face's layout, with config.json, "
				SINGLE " and the tokenizer's files.");
	return AI_ERR_FORMAT;
}

static AiCode
open_file(AiCheckpointWeights *weights, AiCheckpoint *checkpoint, AiCheckpointFile *file,
		  AiError *err)
{
	AI_TRY(ai_safetensors_open(&weights->files[weights->n_files], checkpoint->arena.host,
							   &file->source, file->path, err));
	file->is_used = true;
	weights->n_files++;
	return AI_OK;
}

static AiCode
wrong_index(const char *folder, const char *what, const char *name, AiError *err)
{
	return ai_fail(err, AI_ERR_FORMAT, "file \"%s" INDEX "\" of the model: %s \"%s\"", folder, what,
				   name);
}

/* The shards that the map names, each once */
static AiCode
open_shards(AiCheckpointWeights *weights, AiCheckpoint *checkpoint, const char *folder,
			const AiJson *map, AiError *err)
{
	for (int i = 0; i < map->n; i++)
	{
		const AiJson *item = &map->items[i];
		AiCheckpointFile *file;
		bool		is_open = false;

		if (item->kind != AI_JSON_STRING)
			return wrong_index(folder, "no name of a file for tensor", item->key, err);
		file = ai_checkpoint_find(checkpoint, folder, item->string);
		if (file == NULL)
			return wrong_index(folder, "there is no file", item->string, err);
		for (int f = 0; f < weights->n_files && !is_open; f++)
			is_open = weights->files[f].file == file->path;
		if (is_open)
			continue;
		if (weights->n_files == MAX_SHARDS)
			return ai_fail(err, AI_ERR_LIMIT, "model has more than %d files of weights", MAX_SHARDS);
		AI_TRY(open_file(weights, checkpoint, file, err));
	}
	return AI_OK;
}

static int
compare_weights(const void *a, const void *b)
{
	const AiCheckpointWeight *x = a;
	const AiCheckpointWeight *y = b;

	return strcmp(x->tensor->name, y->tensor->name);
}

/* The tensors of all files as one list */
static AiCode
list_tensors(AiCheckpointWeights *weights, AiCheckpoint *checkpoint, AiError *err)
{
	AiCheckpointWeight   *list;
	int64_t		n = 0;

	for (int f = 0; f < weights->n_files; f++)
		n += weights->files[f].n;
	list = ai_arena_alloc_zero(&checkpoint->arena, (size_t) n, sizeof(AiCheckpointWeight));
	if (list == NULL)
		return ai_out_of_memory(err, (size_t) n * sizeof(AiCheckpointWeight), "the list of tensors");
	weights->list = list;
	for (int f = 0; f < weights->n_files; f++)
	{
		const AiSafetensors *file = &weights->files[f];

		for (int64_t t = 0; t < file->n; t++)
			list[weights->n++] = (AiCheckpointWeight) {.tensor = &file->tensors[t], .file = file};
	}
	qsort(list, (size_t) n, sizeof(AiCheckpointWeight), compare_weights);
	for (int64_t i = 1; i < n; i++)
	{
		if (compare_weights(&list[i - 1], &list[i]) == 0)
			return ai_fail(err, AI_ERR_FORMAT, "tensor \"%s\" is in file \"%s\" and in \"%s\"",
						   list[i].tensor->name, list[i - 1].file->file, list[i].file->file);
	}
	return AI_OK;
}

/* Every tensor of the map is where it says, and there are no others. */
static AiCode
check_map(const AiCheckpointWeights *weights, const char *folder, const AiJson *map, AiError *err)
{
	for (int i = 0; i < map->n; i++)
	{
		const AiJson *item = &map->items[i];
		const AiCheckpointWeight *weight = ai_checkpoint_weights_find(weights, item->key);

		if (weight == NULL || strcmp(weight->file->file + strlen(folder), item->string) != 0)
		{
			wrong_index(folder, "there is no tensor", item->key, err);
			ai_detail(err, "The tensor should be in \"%s\".", item->string);
			return AI_ERR_FORMAT;
		}
	}
	if (map->n != weights->n)
		return ai_fail(err, AI_ERR_FORMAT,
					   "file \"%s" INDEX "\" of the model names %d of %lld tensors",
					   folder, map->n, (long long) weights->n);
	return AI_OK;
}

static AiCode
reserve_files(AiCheckpointWeights *weights, AiCheckpoint *checkpoint, int n, AiError *err)
{
	weights->files = ai_arena_alloc_zero(&checkpoint->arena, (size_t) n, sizeof(AiSafetensors));
	if (weights->files == NULL)
		return ai_out_of_memory(err, (size_t) n * sizeof(AiSafetensors), "the list of tensors");
	return AI_OK;
}

static AiCode
open_weights(AiCheckpointWeights *weights, AiCheckpoint *checkpoint, const char *folder,
			 AiError *err)
{
	AiCheckpointFile *single = ai_checkpoint_find(checkpoint, folder, SINGLE);
	const AiJson *index;
	const AiJson *map;

	if (single != NULL)
	{
		AI_TRY(reserve_files(weights, checkpoint, 1, err));
		AI_TRY(open_file(weights, checkpoint, single, err));
		return list_tensors(weights, checkpoint, err);
	}
	AI_TRY(ai_checkpoint_json(checkpoint, &index, folder, INDEX, err));
	if (index == NULL)
		return no_weights(checkpoint, folder, err);
	map = ai_json_member(index, "weight_map");
	if (map == NULL || map->kind != AI_JSON_OBJECT || map->n == 0)
		return ai_fail(err, AI_ERR_FORMAT, "file \"%s" INDEX "\" of the model has no weight_map",
					   folder);
	AI_TRY(reserve_files(weights, checkpoint, map->n < MAX_SHARDS ? map->n : MAX_SHARDS, err));
	AI_TRY(open_shards(weights, checkpoint, folder, map, err));
	AI_TRY(list_tensors(weights, checkpoint, err));
	return check_map(weights, folder, map, err);
}

AiCode
ai_checkpoint_weights_open(AiCheckpointWeights *weights, AiCheckpoint *checkpoint,
						   const char *folder, AiError *err)
{
	AiCode		code;

	*weights = (AiCheckpointWeights) {.n = 0};
	code = open_weights(weights, checkpoint, folder, err);
	if (code != AI_OK)
		ai_checkpoint_weights_close(weights);
	return code;
}

void
ai_checkpoint_weights_close(AiCheckpointWeights *weights)
{
	for (int f = 0; f < weights->n_files; f++)
		ai_safetensors_close(&weights->files[f]);
	*weights = (AiCheckpointWeights) {.n = 0};
}

const AiCheckpointWeight *
ai_checkpoint_weights_find(const AiCheckpointWeights *weights, const char *name)
{
	AiTensor	tensor = {.name = name};
	AiCheckpointWeight	wanted = {.tensor = &tensor};

	if (weights->n == 0)
		return NULL;
	return bsearch(&wanted, weights->list, (size_t) weights->n, sizeof(AiCheckpointWeight),
				   compare_weights);
}
