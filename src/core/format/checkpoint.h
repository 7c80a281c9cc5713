/*-------------------------------------------------------------------------
 * checkpoint.h
 *		A folder of Hugging Face's layout, whatever it came from.
 *
 * A set of named files: those of a folder, which the server lists and adds one by one, or
 * those in a tar archive.  Files that nobody needs are not kept.  The folder of the model
 * is found among them: that of the highest modules.json or config.json.
 *
 *	config.json, model.safetensors (or model.safetensors.index.json and its shards),
 *	tokenizer.json ...			in the transformer's folder, mostly the model's own
 *	modules.json				of sentence-transformers: what comes after the transformer,
 *								each with a folder: 1_Pooling/config.json, 2_Dense/...
 *	README.md, LICENSE
 *
 * All that is got from a checkpoint lives as long as it.
 *-------------------------------------------------------------------------
 */
#ifndef AI_CHECKPOINT_H
#define AI_CHECKPOINT_H

#include "core/base/json.h"
#include "core/base/sha256.h"
#include "core/format/safetensors.h"

#define AI_CHECKPOINT_MAX_FILES 10000	/* that are kept */
#define AI_CHECKPOINT_MAX_TEXT AI_JSON_MAX_LARGE_SIZE	/* of a tokenizer, bytes */
#define AI_CHECKPOINT_MAX_MODULES 16

typedef struct AiCheckpointFile
{
	const char *path;			/* as it was added, then from the model's folder */
	AiSource	source;
	bool		is_used;		/* it has been read: part of what the model is made of */
} AiCheckpointFile;

typedef struct AiCheckpointModule
{
	const char *type;			/* the last part of the class's name: "Pooling" */
	const char *folder;			/* from the model's folder: "" or "1_Pooling/" */
} AiCheckpointModule;

typedef struct AiCheckpoint
{
	AiArena		arena;
	AiBuf		list;			/* of AiCheckpointFile, before open */
	AiCheckpointFile *files;	/* [n_files], by rising path */
	int64_t		n_files;
	bool		has_modules;	/* there is a modules.json */
	int			n_modules;
	AiCheckpointModule modules[AI_CHECKPOINT_MAX_MODULES];
	const char *folder;			/* of config.json, tokenizer and weights */
} AiCheckpoint;

extern void ai_checkpoint_init(AiCheckpoint *checkpoint, const AiHost *host);
extern void ai_checkpoint_free(AiCheckpoint *checkpoint);

/* Is it a file that a model may need?  Others need not be opened or added. */
extern bool ai_checkpoint_wants(const char *path);

/* path: relative, with "/" between its parts; copied.  source's bytes must stay. */
extern AiCode ai_checkpoint_add(AiCheckpoint *checkpoint, const char *path,
								const AiSource *source, AiError *err);

/* All files of an uncompressed tar archive */
extern AiCode ai_checkpoint_add_tar(AiCheckpoint *checkpoint, const AiSource *source,
									AiError *err);

/* When all is added: finds the model's folder and its modules. */
extern AiCode ai_checkpoint_open(AiCheckpoint *checkpoint, AiError *err);

/* NULL: there is none.  folder: "" or with "/" at its end */
extern AiCheckpointFile *ai_checkpoint_find(const AiCheckpoint *checkpoint, const char *folder,
											const char *name);

/* The file's bytes, with a 0 behind them; *bytes is NULL when there is none. */
extern AiCode ai_checkpoint_text(AiCheckpoint *checkpoint, const char **bytes, size_t *len,
								 const char *folder, const char *name, AiError *err);

/* The file as an object of JSON; *json is NULL when there is none. */
extern AiCode ai_checkpoint_json(AiCheckpoint *checkpoint, const AiJson **json,
								 const char *folder, const char *name, AiError *err);

/* What the files say of rights; either may be NULL */
typedef struct AiCheckpointLicense
{
	const char *tag;			/* README.md's: "apache-2.0" */
	const char *text;			/* LICENSE's, at most 64 kB of it, valid UTF-8 */
	size_t		text_len;
} AiCheckpointLicense;

extern AiCode ai_checkpoint_license(AiCheckpoint *checkpoint, AiCheckpointLicense *license,
									AiError *err);

/* SHA-256 of a file; asks the host whether to stop */
extern AiCode ai_checkpoint_hash(AiCheckpoint *checkpoint, uint8_t digest[AI_SHA256_SIZE],
								 const AiCheckpointFile *file, AiError *err);

/*
 * The weights in a folder: of one file or of shards, whose index must be right.
 */
typedef struct AiCheckpointWeight
{
	const AiTensor *tensor;
	const AiSafetensors *file;
} AiCheckpointWeight;

typedef struct AiCheckpointWeights
{
	AiSafetensors *files;		/* [n_files] */
	int			n_files;
	AiCheckpointWeight   *list;			/* [n], by rising name */
	int64_t		n;
} AiCheckpointWeights;

/* AI_ERR_FORMAT, with a hint, when there are none */
extern AiCode ai_checkpoint_weights_open(AiCheckpointWeights *weights, AiCheckpoint *checkpoint,
										 const char *folder, AiError *err);

extern void ai_checkpoint_weights_close(AiCheckpointWeights *weights);

/* NULL: none of this name */
extern const AiCheckpointWeight *ai_checkpoint_weights_find(const AiCheckpointWeights *weights,
															const char *name);

#endif							/* AI_CHECKPOINT_H */
