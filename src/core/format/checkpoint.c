/*-------------------------------------------------------------------------
 * checkpoint.c
 *		A folder of Hugging Face's layout, whatever it came from.
 *-------------------------------------------------------------------------
 */
#include "core/format/checkpoint.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/utf8.h"
#include "core/format/magic.h"
#include "core/format/tar.h"

#define CONFIG "config.json"
#define MODULES "modules.json"
#define MAX_LICENSE ((size_t) 64 * 1024)	/* that is kept, bytes */
#define MAX_README ((size_t) 64 * 1024) /* that is looked at, bytes */
#define HASH_PIECE ((size_t) 1 << 20)	/* bytes */

/*
 * Which files are kept
 */
static const char *
base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash == NULL ? path : slash + 1;
}

static bool
begins_with(const char *string, const char *beginning)
{
	return strncmp(string, beginning, strlen(beginning)) == 0;
}

static bool
ends_with(const char *string, const char *end)
{
	size_t		len = strlen(string);
	size_t		end_len = strlen(end);

	return len >= end_len && strcmp(string + len - end_len, end) == 0;
}

static bool
is_license(const char *name)
{
	return begins_with(name, "LICENSE") || begins_with(name, "LICENCE");
}

bool
ai_checkpoint_wants(const char *path)
{
	static const char *const names[] = {
		CONFIG, MODULES, "README.md", "tokenizer.json", "tokenizer_config.json",
		"special_tokens_map.json", "added_tokens.json", "vocab.txt", "vocab.json", "merges.txt",
		"config_sentence_transformers.json", "pytorch_model.bin",
	};
	const char *name = base_name(path);

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
	{
		if (strcmp(name, names[i]) == 0)
			return true;
	}
	return is_license(name) || ends_with(name, ".safetensors") ||
		ends_with(name, ".safetensors.index.json") ||
		(begins_with(name, "sentence_") && ends_with(name, "_config.json"));
}

/*
 * Adding
 */
void
ai_checkpoint_init(AiCheckpoint *checkpoint, const AiHost *host)
{
	*checkpoint = (AiCheckpoint) {.folder = ""};
	ai_arena_init(&checkpoint->arena, host);
	ai_buf_init(&checkpoint->list, host);
}

void
ai_checkpoint_free(AiCheckpoint *checkpoint)
{
	ai_buf_free(&checkpoint->list);
	ai_arena_free(&checkpoint->arena);
	checkpoint->files = NULL;
	checkpoint->n_files = 0;
}

/* The first len bytes of a string, in the arena */
static AiCode
copy_string(AiCheckpoint *checkpoint, const char **copy, const char *string, size_t len,
			AiError *err)
{
	char	   *place = ai_arena_alloc(&checkpoint->arena, len + 1);

	if (place == NULL)
		return ai_out_of_memory(err, len + 1, "the names of files");
	memcpy(place, string, len);
	place[len] = '\0';
	*copy = place;
	return AI_OK;
}

AiCode
ai_checkpoint_add(AiCheckpoint *checkpoint, const char *path, const AiSource *source,
				  AiError *err)
{
	AiCheckpointFile file = {.source = *source};

	if (!ai_checkpoint_wants(path))
		return AI_OK;
	if (checkpoint->list.len / sizeof(file) == AI_CHECKPOINT_MAX_FILES)
	{
		ai_fail(err, AI_ERR_LIMIT, "model has too many files");
		ai_detail(err, "At most %d files are read.", AI_CHECKPOINT_MAX_FILES);
		return AI_ERR_LIMIT;
	}
	AI_TRY(copy_string(checkpoint, &file.path, path, strlen(path), err));
	return ai_buf_append(&checkpoint->list, &file, sizeof(file), err);
}

static AiCode
check_is_tar(const AiSource *source, AiError *err)
{
	uint8_t		begin[AI_MAGIC_SIZE];
	size_t		n = source->size < sizeof(begin) ? (size_t) source->size : sizeof(begin);

	AI_TRY(ai_source_read(source, begin, 0, n, err));
	return ai_magic(begin, n) == AI_MAGIC_TAR ? AI_OK : ai_magic_refuse(begin, n, err);
}

AiCode
ai_checkpoint_add_tar(AiCheckpoint *checkpoint, const AiSource *source, AiError *err)
{
	AiTar		tar;
	AiTarEntry	entry;
	bool		has_entry = true;
	AiCode		code;

	AI_TRY(check_is_tar(source, err));
	ai_tar_init(&tar, checkpoint->arena.host, source);
	do
	{
		code = ai_tar_next(&tar, &entry, &has_entry, err);
		if (code == AI_OK && has_entry && !entry.is_folder)
			code = ai_checkpoint_add(checkpoint, entry.name, &entry.content, err);
	} while (code == AI_OK && has_entry);
	ai_tar_free(&tar);
	return code;
}

/*
 * The model's folder
 */
static int
compare_paths(const void *a, const void *b)
{
	return strcmp(((const AiCheckpointFile *) a)->path, ((const AiCheckpointFile *) b)->path);
}

static AiCode
sort_files(AiCheckpoint *checkpoint, AiError *err)
{
	size_t		size = checkpoint->list.len;

	checkpoint->files = ai_arena_alloc(&checkpoint->arena, size);
	if (checkpoint->files == NULL)
		return ai_out_of_memory(err, size, "the names of files");
	if (size > 0)
		memcpy(checkpoint->files, checkpoint->list.data, size);
	checkpoint->n_files = (int64_t) (size / sizeof(AiCheckpointFile));
	ai_buf_free(&checkpoint->list);
	qsort(checkpoint->files, (size_t) checkpoint->n_files, sizeof(AiCheckpointFile),
		  compare_paths);
	for (int64_t i = 1; i < checkpoint->n_files; i++)
	{
		if (strcmp(checkpoint->files[i - 1].path, checkpoint->files[i].path) == 0)
			return ai_fail(err, AI_ERR_FORMAT, "file \"%s\" of the model is there twice",
						   checkpoint->files[i].path);
	}
	return AI_OK;
}

static int
depth_of(const char *path)
{
	int			depth = 0;

	for (const char *c = path; *c != '\0'; c++)
		depth += *c == '/';
	return depth;
}

/* The highest file of this name, *other another one as high; both may be NULL */
static const char *
find_highest(const AiCheckpoint *checkpoint, const char *name, const char **other)
{
	const char *highest = NULL;

	*other = NULL;
	for (int64_t i = 0; i < checkpoint->n_files; i++)
	{
		const char *path = checkpoint->files[i].path;

		if (strcmp(base_name(path), name) != 0)
			continue;
		if (highest == NULL || depth_of(path) < depth_of(highest))
		{
			highest = path;
			*other = NULL;
		}
		else if (depth_of(path) == depth_of(highest))
			*other = path;
	}
	return highest;
}

/* Paths begin at the model's folder from now on; files elsewhere are left out. */
static void
enter_folder(AiCheckpoint *checkpoint, const char *path)
{
	size_t		len = (size_t) (base_name(path) - path);
	int64_t		n = 0;

	for (int64_t i = 0; i < checkpoint->n_files; i++)
	{
		AiCheckpointFile file = checkpoint->files[i];

		if (strncmp(file.path, path, len) == 0)
		{
			file.path += len;
			checkpoint->files[n++] = file;
		}
	}
	checkpoint->n_files = n;
}

static AiCode
find_folder(AiCheckpoint *checkpoint, AiError *err)
{
	const char *other_config;
	const char *other_modules;
	const char *config = find_highest(checkpoint, CONFIG, &other_config);
	const char *modules = find_highest(checkpoint, MODULES, &other_modules);
	bool		is_modules = modules != NULL &&
		(config == NULL || depth_of(modules) <= depth_of(config));
	const char *found = is_modules ? modules : config;
	const char *other = is_modules ? other_modules : other_config;

	if (found == NULL)
	{
		ai_fail(err, AI_ERR_FORMAT, "the model has no file \"" CONFIG "\"");
		ai_hint(err, "Import a folder of Hugging Face's layout, with config.json, "
				"model.safetensors and the tokenizer's files.");
		return AI_ERR_FORMAT;
	}
	if (other != NULL)
	{
		ai_fail(err, AI_ERR_FORMAT, "there is more than one model");
		ai_detail(err, "Found \"%s\" and \"%s\".", found, other);
		ai_hint(err, "Import the folder of one model.");
		return AI_ERR_FORMAT;
	}
	enter_folder(checkpoint, found);
	return AI_OK;
}

/*
 * Modules of sentence-transformers
 */
static AiCode
wrong_modules(AiError *err)
{
	return ai_fail(err, AI_ERR_FORMAT, "file \"" MODULES "\" of the model is no list of modules");
}

/* "1_Pooling" as "1_Pooling/", and "" or "." as "" */
static AiCode
set_folder(AiCheckpoint *checkpoint, const char **folder, const char *path, AiError *err)
{
	size_t		len = strlen(path);
	char	   *copy;

	if (begins_with(path, "./"))
		path += 2, len -= 2;
	while (len > 0 && path[len - 1] == '/')
		len--;
	*folder = "";
	if (len == 0 || (len == 1 && path[0] == '.'))
		return AI_OK;
	copy = ai_arena_alloc(&checkpoint->arena, len + 2);
	if (copy == NULL)
		return ai_out_of_memory(err, len + 2, "the names of files");
	memcpy(copy, path, len);
	memcpy(copy + len, "/", 2);
	*folder = copy;
	return AI_OK;
}

static AiCode
read_module(AiCheckpoint *checkpoint, AiCheckpointModule *module, const AiJson *json,
			AiError *err)
{
	const AiJson *type = ai_json_member(json, "type");
	const AiJson *path = ai_json_member(json, "path");
	const char *dot;

	if (type == NULL || type->kind != AI_JSON_STRING ||
		path == NULL || path->kind != AI_JSON_STRING)
		return wrong_modules(err);
	dot = strrchr(type->string, '.');
	module->type = dot == NULL ? type->string : dot + 1;
	return set_folder(checkpoint, &module->folder, path->string, err);
}

/* A file as JSON, NULL when there is none; what is wrong with it stands under its name. */
static AiCode
parse_file(AiCheckpoint *checkpoint, const AiJson **json, const char *folder, const char *name,
		   AiError *err)
{
	const char *text;
	size_t		len;
	AiCode		code;

	*json = NULL;
	AI_TRY(ai_checkpoint_text(checkpoint, &text, &len, folder, name, err));
	if (text == NULL)
		return AI_OK;
	code = ai_json_parse(json, &checkpoint->arena, text, len, err);
	if (err != NULL && code != AI_OK && code != AI_ERR_NOMEM)
	{
		AiError		found = *err;

		ai_fail(err, code, "file \"%s%s\" of the model: %s", folder, name, found.message);
		ai_detail(err, "%s", found.detail);
	}
	return code;
}

static AiCode
read_modules(AiCheckpoint *checkpoint, AiError *err)
{
	const AiJson *json;

	AI_TRY(parse_file(checkpoint, &json, "", MODULES, err));
	if (json == NULL)
		return AI_OK;
	if (json->kind != AI_JSON_ARRAY || json->n == 0)
		return wrong_modules(err);
	if (json->n > AI_CHECKPOINT_MAX_MODULES)
		return ai_fail(err, AI_ERR_LIMIT, "model has %d modules, more than %d", json->n,
					   AI_CHECKPOINT_MAX_MODULES);
	checkpoint->has_modules = true;
	checkpoint->n_modules = json->n;
	for (int i = 0; i < json->n; i++)
		AI_TRY(read_module(checkpoint, &checkpoint->modules[i], &json->items[i], err));
	checkpoint->folder = checkpoint->modules[0].folder;
	return AI_OK;
}

AiCode
ai_checkpoint_open(AiCheckpoint *checkpoint, AiError *err)
{
	AI_TRY(sort_files(checkpoint, err));
	AI_TRY(find_folder(checkpoint, err));
	return read_modules(checkpoint, err);
}

/*
 * Files
 */
typedef struct Wanted
{
	const char *folder;
	const char *name;
} Wanted;

static int
compare_wanted(const void *a, const void *b)
{
	const Wanted *wanted = a;
	const char *path = ((const AiCheckpointFile *) b)->path;
	size_t		len = strlen(wanted->folder);
	int			order = strncmp(wanted->folder, path, len);

	return order != 0 ? order : strcmp(wanted->name, path + len);
}

AiCheckpointFile *
ai_checkpoint_find(const AiCheckpoint *checkpoint, const char *folder, const char *name)
{
	Wanted		wanted = {folder, name};

	if (checkpoint->n_files == 0)
		return NULL;
	return bsearch(&wanted, checkpoint->files, (size_t) checkpoint->n_files,
				   sizeof(AiCheckpointFile), compare_wanted);
}

/* The first bytes of a file, at most max */
static AiCode
read_beginning(AiCheckpoint *checkpoint, const char **bytes, size_t *len, AiCheckpointFile *file,
			   size_t max, AiError *err)
{
	char	   *text;

	*len = file->source.size < max ? (size_t) file->source.size : max;
	text = ai_arena_alloc(&checkpoint->arena, *len + 1);
	if (text == NULL)
		return ai_out_of_memory(err, *len + 1, "a file of the model");
	AI_TRY(ai_source_read(&file->source, text, 0, *len, err));
	text[*len] = '\0';
	*bytes = text;
	return AI_OK;
}

AiCode
ai_checkpoint_text(AiCheckpoint *checkpoint, const char **bytes, size_t *len,
				   const char *folder, const char *name, AiError *err)
{
	AiCheckpointFile *file = ai_checkpoint_find(checkpoint, folder, name);

	*bytes = NULL;
	*len = 0;
	if (file == NULL)
		return AI_OK;
	if (file->source.size > AI_CHECKPOINT_MAX_TEXT)
	{
		ai_fail(err, AI_ERR_LIMIT, "file \"%s\" of the model is too large", file->path);
		ai_detail(err, "The file has %" PRIu64 " bytes, at most %zu are read.", file->source.size,
				  AI_CHECKPOINT_MAX_TEXT);
		return AI_ERR_LIMIT;
	}
	file->is_used = true;
	return read_beginning(checkpoint, bytes, len, file, AI_CHECKPOINT_MAX_TEXT, err);
}

AiCode
ai_checkpoint_json(AiCheckpoint *checkpoint, const AiJson **json, const char *folder,
				   const char *name, AiError *err)
{
	AI_TRY(parse_file(checkpoint, json, folder, name, err));
	if (*json != NULL && (*json)->kind != AI_JSON_OBJECT)
		return ai_fail(err, AI_ERR_FORMAT, "file \"%s%s\" of the model is no JSON object",
					   folder, name);
	return AI_OK;
}

AiCode
ai_checkpoint_hash(AiCheckpoint *checkpoint, uint8_t digest[AI_SHA256_SIZE],
				   const AiCheckpointFile *file, AiError *err)
{
	const AiHost *host = checkpoint->arena.host;
	uint8_t    *room = ai_host_alloc(host, HASH_PIECE);
	AiSha256	sha;
	AiCode		code;

	if (room == NULL)
		return ai_out_of_memory(err, HASH_PIECE, "a piece of a file");
	code = ai_sha256_init(&sha, err);
	for (uint64_t at = 0; code == AI_OK && at < file->source.size;)
	{
		uint64_t	left = file->source.size - at;
		size_t		n = left < HASH_PIECE ? (size_t) left : HASH_PIECE;
		const uint8_t *bytes = room;

		if (ai_host_should_stop(host))
			code = ai_fail(err, AI_ERR_CANCELLED, "cancelled");
		else
			code = ai_source_view(&file->source, &bytes, room, at, n, err);
		if (code == AI_OK)
			code = ai_sha256_update(&sha, bytes, n, err);
		at += n;
	}
	if (code == AI_OK)
		code = ai_sha256_end(&sha, digest, err);
	ai_sha256_free(&sha);
	ai_host_release(host, room);
	return code;
}

/*
 * Rights
 */

/* Cut the text where it is no longer valid UTF-8 or holds a zero. */
static size_t
valid_length(const char *text, size_t len)
{
	size_t		at = 0;

	while (at < len)
	{
		uint32_t	code;
		size_t		n = ai_utf8_decode(&code, text + at, len - at);

		if (n == 0 || code == 0)
			break;
		at += n;
	}
	return at;
}

/* A value of YAML in one line, without its quotation marks */
static AiCode
copy_tag(AiCheckpoint *checkpoint, const char **tag, const char *value, size_t len, AiError *err)
{
	while (len > 0 && strchr(" \t'\"", value[0]) != NULL)
		value++, len--;
	while (len > 0 && strchr(" \t\r'\"", value[len - 1]) != NULL)
		len--;
	return len == 0 ? AI_OK : copy_string(checkpoint, tag, value, len, err);
}

/* The line "license: ..." between the lines "---" with which the file begins; or "- ..." below */
static AiCode
find_tag(AiCheckpoint *checkpoint, const char **tag, const char *text, AiError *err)
{
	const char *line = text;
	bool		in_list = false;

	if (!begins_with(text, "---"))
		return AI_OK;
	while ((line = strchr(line, '\n')) != NULL && *tag == NULL)
	{
		size_t		len = strcspn(++line, "\n");

		if (begins_with(line, "---"))
			break;
		if (in_list && begins_with(line, "-"))
			AI_TRY(copy_tag(checkpoint, tag, line + 1, len - 1, err));
		in_list = begins_with(line, "license:");
		if (in_list)
			AI_TRY(copy_tag(checkpoint, tag, line + 8, len - 8, err));
	}
	return AI_OK;
}

AiCode
ai_checkpoint_license(AiCheckpoint *checkpoint, AiCheckpointLicense *license, AiError *err)
{
	AiCheckpointFile *readme = ai_checkpoint_find(checkpoint, "", "README.md");
	const char *text;
	size_t		len;

	*license = (AiCheckpointLicense) {.tag = NULL};
	if (readme != NULL)
	{
		AI_TRY(read_beginning(checkpoint, &text, &len, readme, MAX_README, err));
		((char *) text)[valid_length(text, len)] = '\0';
		AI_TRY(find_tag(checkpoint, &license->tag, text, err));
	}
	for (int64_t i = 0; i < checkpoint->n_files && license->text == NULL; i++)
	{
		AiCheckpointFile *file = &checkpoint->files[i];

		if (!is_license(file->path))
			continue;
		AI_TRY(read_beginning(checkpoint, &text, &len, file, MAX_LICENSE, err));
		license->text = text;
		license->text_len = valid_length(text, len);
	}
	return AI_OK;
}
