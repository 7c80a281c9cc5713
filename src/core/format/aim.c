/*-------------------------------------------------------------------------
 * aim.c
 *		The format in which models are stored.
 *
 * The layout leaves no freedom, so checking a block is laying it out again:
 * each entry must be where the one before it says.  That an offset lies inside
 * the block, is aligned and overlaps nothing follows.
 *-------------------------------------------------------------------------
 */
#include "core/format/aim.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define MAGIC "\x89" "AIM\r\n\x1a\n"
#define MAGIC_SIZE 8

#define INVALID "invalid aim model: "
#define PIECE_SIZE ((size_t) 16 << 20)	/* that is written without asking whether to stop */

#define OFFSETS_SUFFIX ".offsets"
#define BYTES_SUFFIX ".bytes"

/* The layout of aim.h, as the compiler sees it */
typedef struct Header
{
	char		magic[MAGIC_SIZE];
	uint32_t	version;
	uint32_t	n_entries;
	uint64_t	size;
	uint64_t	zero;
	char		kind[AI_AIM_KIND_SIZE];
} Header;

typedef struct Entry
{
	char		name[AI_AIM_NAME_SIZE];
	uint32_t	dtype;
	uint32_t	n_dims;
	uint64_t	dims[AI_AIM_MAX_DIMS];
	uint64_t	offset;
	uint64_t	size;
	uint64_t	zero;
} Entry;

_Static_assert(sizeof(Header) == 64, "the header is as documented");
_Static_assert(sizeof(Entry) == 128, "an entry is as documented");
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
			   "models are used where they lie, which needs a little-endian machine");

/* An entry that waits for finish; kept in rising order of names */
typedef struct AiAimPending
{
	Entry		entry;
	const void *data;			/* borrowed or in the arena; NULL: reserved */
} AiAimPending;

/*
 * What writer and reader agree on
 */

/* 1 to size - 1 visible ASCII characters, then zeros: safe in any message */
static bool
is_padded_text(const char *text, size_t size)
{
	size_t		len = strnlen(text, size);

	if (len == 0 || len == size)
		return false;
	for (size_t i = 0; i < len; i++)
	{
		if (text[i] < '!' || text[i] > '~')
			return false;
	}
	for (size_t i = len; i < size; i++)
	{
		if (text[i] != '\0')
			return false;
	}
	return true;
}

/*
 * *size = bytes of the array.  False when that overflows, even if another
 * dimension is zero: then no product of some dimensions can overflow.
 */
static bool
array_size(size_t *size, const Entry *entry)
{
	size_t		n_bytes = ai_dtype_size((AiDtype) entry->dtype);
	bool		is_empty = false;

	for (uint32_t d = 0; d < entry->n_dims; d++)
	{
		uint64_t	dim = entry->dims[d];

		is_empty |= dim == 0;
		if (dim > INT64_MAX ||
			__builtin_mul_overflow(n_bytes, dim == 0 ? 1 : dim, &n_bytes))
			return false;
	}
	*size = is_empty ? 0 : n_bytes;
	return true;
}

/*
 * The place of name among n_entries rising names, stride bytes apart; true
 * when it is there, else *index is where it would have to be.
 */
static bool
find_name(size_t *index, const void *entries, size_t stride, size_t n_entries,
		  const char *name)
{
	size_t		low = 0;
	size_t		high = n_entries;

	while (low < high)
	{
		size_t		middle = low + (high - low) / 2;
		int			order = strcmp((const char *) entries + middle * stride, name);

		if (order == 0)
		{
			*index = middle;
			return true;
		}
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	*index = low;
	return false;
}

/* Copy name and suffix, zero padded; false when that is too long. */
static bool
set_name(char padded[AI_AIM_NAME_SIZE], const char *name, const char *suffix)
{
	memset(padded, 0, AI_AIM_NAME_SIZE);
	return snprintf(padded, AI_AIM_NAME_SIZE, "%s%s", name, suffix) < AI_AIM_NAME_SIZE;
}

/*
 * Writing
 */

void
ai_aim_writer_init(AiAimWriter *writer, const AiHost *host, const char *kind)
{
	*writer = (AiAimWriter) {.host = host};
	ai_arena_init(&writer->arena, host);
	ai_buf_init(&writer->entries, host);
	if (strlen(kind) < AI_AIM_KIND_SIZE)
		memcpy(writer->kind, kind, strlen(kind));
}

static size_t
n_pending(const AiAimWriter *writer)
{
	return writer->entries.len / sizeof(AiAimPending);
}

static AiAimPending *
pending(const AiAimWriter *writer)
{
	return (AiAimPending *) writer->entries.data;
}

/* Put an entry where its name belongs. */
static AiCode
insert_entry(AiAimWriter *writer, const AiAimPending *added, AiError *err)
{
	size_t		n = n_pending(writer);
	size_t		index;

	if (find_name(&index, writer->entries.data, sizeof(AiAimPending), n, added->entry.name))
		return ai_fail(err, AI_ERR_BUG, "entry \"%s\" of a model is written twice",
					   added->entry.name);
	if (n == UINT32_MAX)
		return ai_fail(err, AI_ERR_LIMIT, "model has too many entries");
	AI_TRY(ai_buf_append(&writer->entries, added, sizeof(*added), err));
	memmove(pending(writer) + index + 1, pending(writer) + index,
			(n - index) * sizeof(*added));
	pending(writer)[index] = *added;
	return AI_OK;
}

static AiCode
add_entry(AiAimWriter *writer, const char *name, const char *suffix, AiDtype dtype,
		  const void *data, int n_dims, const int64_t *dims, AiError *err)
{
	AiAimPending added = {
		.entry = {.dtype = dtype, .n_dims = (uint32_t) n_dims},
		.data = data
	};
	size_t		size;

	AI_ASSERT(writer->block == NULL);
	if (!set_name(added.entry.name, name, suffix) ||
		!is_padded_text(added.entry.name, AI_AIM_NAME_SIZE) ||
		n_dims < 0 || n_dims > AI_AIM_MAX_DIMS)
		return ai_fail(err, AI_ERR_BUG, "entry \"%s%s\" of a model cannot be written",
					   name, suffix);
	for (int d = 0; d < n_dims; d++)
		added.entry.dims[d] = (uint64_t) dims[d];
	if (!array_size(&size, &added.entry))
		return ai_fail(err, AI_ERR_LIMIT, "entry \"%s%s\" of the model is too large",
					   name, suffix);
	added.entry.size = size;
	return insert_entry(writer, &added, err);
}

AiCode
ai_aim_add(AiAimWriter *writer, const char *name, AiDtype dtype,
		   const void *data, int n_dims, const int64_t *dims, AiError *err)
{
	return add_entry(writer, name, "", dtype, data, n_dims, dims, err);
}

AiCode
ai_aim_reserve(AiAimWriter *writer, const char *name, AiDtype dtype,
			   int n_dims, const int64_t *dims, AiError *err)
{
	return add_entry(writer, name, "", dtype, NULL, n_dims, dims, err);
}

/* A scalar of eight bytes, copied */
static AiCode
add_scalar(AiAimWriter *writer, const char *name, AiDtype dtype, const void *value,
		   AiError *err)
{
	void	   *copy = ai_arena_alloc(&writer->arena, sizeof(uint64_t));

	if (copy == NULL)
		return ai_out_of_memory(err, sizeof(uint64_t), "a number of the model");
	memcpy(copy, value, sizeof(uint64_t));
	return add_entry(writer, name, "", dtype, copy, 0, NULL, err);
}

AiCode
ai_aim_add_i64(AiAimWriter *writer, const char *name, int64_t value, AiError *err)
{
	return add_scalar(writer, name, AI_DTYPE_I64, &value, err);
}

AiCode
ai_aim_add_f64(AiAimWriter *writer, const char *name, double value, AiError *err)
{
	return add_scalar(writer, name, AI_DTYPE_F64, &value, err);
}

AiCode
ai_aim_add_strings(AiAimWriter *writer, const char *name,
				   const char *const *strings, const size_t *lens,
				   int64_t n_strings, AiError *err)
{
	int64_t		n_offsets = n_strings + 1;
	size_t		offsets_size = sizeof(uint64_t) * (size_t) n_offsets;
	size_t		bytes_size = 0;
	int64_t		n_bytes;
	uint64_t   *offsets;
	char	   *bytes;

	for (int64_t i = 0; i < n_strings; i++)
	{
		if (!ai_add_size(&bytes_size, bytes_size, lens[i]))
			return ai_out_of_memory(err, SIZE_MAX, "strings of the model");
	}
	offsets = ai_arena_alloc(&writer->arena, offsets_size);
	bytes = ai_arena_alloc(&writer->arena, bytes_size);
	if (offsets == NULL || bytes == NULL)
		return ai_out_of_memory(err, offsets_size + bytes_size, "strings of the model");

	offsets[0] = 0;
	for (int64_t i = 0; i < n_strings; i++)
	{
		if (lens[i] > 0)
			memcpy(bytes + offsets[i], strings[i], lens[i]);
		offsets[i + 1] = offsets[i] + lens[i];
	}
	n_bytes = (int64_t) bytes_size;
	AI_TRY(add_entry(writer, name, OFFSETS_SUFFIX, AI_DTYPE_U64, offsets, 1, &n_offsets, err));
	return add_entry(writer, name, BYTES_SUFFIX, AI_DTYPE_U8, bytes, 1, &n_bytes, err);
}

/* Give every entry its offset; *size becomes that of the block. */
static AiCode
lay_out(AiAimWriter *writer, size_t *size, AiError *err)
{
	size_t		end = sizeof(Header) + n_pending(writer) * sizeof(Entry);

	for (size_t i = 0; i < n_pending(writer); i++)
	{
		Entry	   *entry = &pending(writer)[i].entry;
		size_t		padded = ai_align_size((size_t) entry->size);

		entry->offset = end;
		if (padded < entry->size || !ai_add_size(&end, end, padded))
			return ai_fail(err, AI_ERR_LIMIT, "model is too large");
	}
	*size = end;
	return AI_OK;
}

/* In pieces, between which the host is asked whether to stop: the payload, or zeros for NULL */
static AiCode
copy_payload(const AiAimWriter *writer, const AiAimPending *from, AiError *err)
{
	uint8_t    *payload = writer->block + from->entry.offset;
	size_t		size = (size_t) from->entry.size;

	for (size_t at = 0; at < size; at += PIECE_SIZE)
	{
		size_t		n = size - at < PIECE_SIZE ? size - at : PIECE_SIZE;

		if (at > 0 && ai_host_should_stop(writer->host))
			return ai_fail(err, AI_ERR_CANCELLED, "cancelled");
		if (from->data != NULL)
			memcpy(payload + at, (const uint8_t *) from->data + at, n);
		else
			memset(payload + at, 0, n);
	}
	memset(payload + size, 0, ai_align_size(size) - size);
	return AI_OK;
}

/* Make room and write all that comes before the first payload, *front_size bytes. */
static AiCode
write_front(AiAimWriter *writer, size_t *front_size, bool is_alone, AiError *err)
{
	size_t		n = n_pending(writer);
	Header		header = {.version = AI_AIM_VERSION, .n_entries = (uint32_t) n};
	Entry	   *directory;
	size_t		room;

	AI_ASSERT(writer->block == NULL);
	if (!is_padded_text(writer->kind, AI_AIM_KIND_SIZE))
		return ai_fail(err, AI_ERR_BUG, "kind of a model cannot be written");
	AI_TRY(lay_out(writer, &writer->size, err));
	if (writer->max_size > 0 && writer->size > writer->max_size)
		return ai_fail(err, AI_ERR_LIMIT, "model has %zu bytes, more than %zu", writer->size,
					   writer->max_size);
	*front_size = sizeof(Header) + n * sizeof(Entry);
	room = is_alone ? *front_size : writer->size;
	writer->block = ai_host_alloc(writer->host, room);
	if (writer->block == NULL)
		return ai_out_of_memory(err, room, "the model");

	memcpy(header.magic, MAGIC, MAGIC_SIZE);
	memcpy(header.kind, writer->kind, AI_AIM_KIND_SIZE);
	header.size = writer->size;
	memcpy(writer->block, &header, sizeof(header));
	directory = (Entry *) (writer->block + sizeof(Header));
	for (size_t i = 0; i < n; i++)
		directory[i] = pending(writer)[i].entry;
	return AI_OK;
}

AiCode
ai_aim_finish(AiAimWriter *writer, const void **bytes, size_t *size, AiError *err)
{
	size_t		front_size;

	AI_TRY(write_front(writer, &front_size, false, err));
	for (size_t i = 0; i < n_pending(writer); i++)
		AI_TRY(copy_payload(writer, &pending(writer)[i], err));
	*bytes = writer->block;
	*size = writer->size;
	return AI_OK;
}

AiCode
ai_aim_finish_front(AiAimWriter *writer, const void **front, size_t *front_size,
					size_t *size, AiError *err)
{
	AI_TRY(write_front(writer, front_size, true, err));
	*front = writer->block;
	*size = writer->size;
	return AI_OK;
}

void *
ai_aim_reserved(AiAimWriter *writer, const char *name)
{
	size_t		index;

	if (writer->block == NULL ||
		!find_name(&index, writer->entries.data, sizeof(AiAimPending),
				   n_pending(writer), name) ||
		pending(writer)[index].data != NULL)
		return NULL;
	return writer->block + pending(writer)[index].entry.offset;
}

void
ai_aim_writer_free(AiAimWriter *writer)
{
	ai_host_release(writer->host, writer->block);
	writer->block = NULL;
	ai_buf_free(&writer->entries);
	ai_arena_free(&writer->arena);
}

/*
 * Reading
 */

static const Header *
header_of(const AiAim *aim)
{
	return (const Header *) aim->bytes;
}

static const Entry *
directory_of(const AiAim *aim)
{
	return (const Entry *) (aim->bytes + sizeof(Header));
}

static bool
is_zero(const uint8_t *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
	{
		if (bytes[i] != 0)
			return false;
	}
	return true;
}

static AiCode
wrong_size(AiError *err, uint64_t expected, size_t size)
{
	ai_fail(err, AI_ERR_FORMAT, INVALID "it has the wrong size");
	ai_detail(err, "The model should have %" PRIu64 " bytes, there are %zu.", expected, size);
	ai_hint(err, "The model may have been cut short; transfer it again.");
	return AI_ERR_FORMAT;
}

/* Magic and version come first: what follows may differ in a later version. */
static AiCode
check_version(const AiAim *aim, AiError *err)
{
	uint32_t	version = header_of(aim)->version;

	if (memcmp(header_of(aim)->magic, MAGIC, MAGIC_SIZE) != 0)
		return ai_fail(err, AI_ERR_FORMAT, INVALID "it does not begin as one");
	if (version > AI_AIM_VERSION)
	{
		ai_fail(err, AI_ERR_UNSUPPORTED,
				"model format version %" PRIu32 " is newer than this server's (%d)",
				version, AI_AIM_VERSION);
		ai_hint(err, "Update aiaas on this server.");
		return AI_ERR_UNSUPPORTED;
	}
	if (version == 0)
		return ai_fail(err, AI_ERR_FORMAT, INVALID "its format version is 0");
	return AI_OK;
}

static AiCode
check_header(const AiAim *aim, AiError *err)
{
	const Header *header = header_of(aim);

	if (header->size != aim->size)
		return wrong_size(err, header->size, aim->size);
	if (aim->size % AI_ALIGNMENT != 0 || header->zero != 0)
		return ai_fail(err, AI_ERR_FORMAT, INVALID "its header is damaged");
	if (!is_padded_text(header->kind, AI_AIM_KIND_SIZE))
		return ai_fail(err, AI_ERR_FORMAT, INVALID "its kind is damaged");
	if (header->n_entries > (aim->size - sizeof(Header)) / sizeof(Entry))
		return ai_fail(err, AI_ERR_FORMAT, INVALID "its directory ends beyond its end");
	return AI_OK;
}

/* The parts of an entry that do not depend on its place; its size is true then. */
static AiCode
check_entry(const Entry *entry, AiError *err)
{
	size_t		size = 0;

	if (!ai_dtype_is_valid(entry->dtype))
		return ai_fail(err, AI_ERR_FORMAT,
					   INVALID "entry \"%s\" has elements of type %" PRIu32
					   ", which does not exist", entry->name, entry->dtype);
	if (entry->n_dims > AI_AIM_MAX_DIMS)
		return ai_fail(err, AI_ERR_FORMAT,
					   INVALID "entry \"%s\" has %" PRIu32 " dimensions, more than %d",
					   entry->name, entry->n_dims, AI_AIM_MAX_DIMS);
	for (uint32_t d = entry->n_dims; d < AI_AIM_MAX_DIMS; d++)
	{
		if (entry->dims[d] != 0)
			return ai_fail(err, AI_ERR_FORMAT, INVALID "entry \"%s\" has a stray dimension",
						   entry->name);
	}
	if (entry->zero != 0)
		return ai_fail(err, AI_ERR_FORMAT, INVALID "entry \"%s\" is damaged", entry->name);
	if (!array_size(&size, entry))
		return ai_fail(err, AI_ERR_FORMAT, INVALID "the dimensions of entry \"%s\" are too large",
					   entry->name);
	if (entry->size != size)
		return ai_fail(err, AI_ERR_FORMAT,
					   INVALID "entry \"%s\" has %" PRIu64 " bytes, its dimensions make %zu",
					   entry->name, entry->size, size);
	return AI_OK;
}

/* Entry index must begin at *end, a multiple of 64; *end moves to the next one. */
static AiCode
check_place(const AiAim *aim, int64_t index, size_t *end, AiError *err)
{
	const Entry *entry = directory_of(aim) + index;
	size_t		size;

	if (!is_padded_text(entry->name, AI_AIM_NAME_SIZE))
		return ai_fail(err, AI_ERR_FORMAT, INVALID "the name of entry %" PRId64 " is damaged",
					   index);
	if (index > 0 && strcmp(entry[-1].name, entry->name) >= 0)
		return ai_fail(err, AI_ERR_FORMAT, INVALID "entries \"%s\" and \"%s\" are not in order",
					   entry[-1].name, entry->name);
	AI_TRY(check_entry(entry, err));
	size = (size_t) entry->size;
	if (entry->offset != *end)
		return ai_fail(err, AI_ERR_FORMAT,
					   INVALID "entry \"%s\" begins at byte %" PRIu64 " instead of %zu",
					   entry->name, entry->offset, *end);
	if (size > aim->size - *end)
		return ai_fail(err, AI_ERR_FORMAT, INVALID "entry \"%s\" ends beyond its end",
					   entry->name);
	*end += ai_align_size(size);
	return AI_OK;
}

/* The directory leaves no gap and no rest; true of the payloads' places then. */
static AiCode
check_directory(const AiAim *aim, AiError *err)
{
	size_t		end = sizeof(Header) + header_of(aim)->n_entries * sizeof(Entry);

	for (int64_t i = 0; i < header_of(aim)->n_entries; i++)
		AI_TRY(check_place(aim, i, &end, err));
	if (end != aim->size)
		return wrong_size(err, end, aim->size);
	return AI_OK;
}

static AiCode
check_padding(const AiAim *aim, AiError *err)
{
	for (int64_t i = 0; i < header_of(aim)->n_entries; i++)
	{
		const Entry *entry = directory_of(aim) + i;
		size_t		size = (size_t) entry->size;

		if (!is_zero(aim->bytes + entry->offset + size, ai_align_size(size) - size))
			return ai_fail(err, AI_ERR_FORMAT,
						   INVALID "entry \"%s\" is followed by stray bytes", entry->name);
	}
	return AI_OK;
}

/* What holds of the first bytes of every block */
static AiCode
check_beginning(const AiAim *aim, size_t n_bytes, AiError *err)
{
	if ((uintptr_t) aim->bytes % AI_ALIGNMENT != 0)
		return ai_fail(err, AI_ERR_BUG, "model is not aligned in memory");
	if (n_bytes < sizeof(Header))
		return wrong_size(err, sizeof(Header), n_bytes);
	return check_version(aim, err);
}

AiCode
ai_aim_open(AiAim *aim, const void *bytes, size_t size, AiError *err)
{
	*aim = (AiAim) {.bytes = bytes, .size = size};
	AI_TRY(check_beginning(aim, size, err));
	AI_TRY(check_header(aim, err));
	AI_TRY(check_directory(aim, err));
	AI_TRY(check_padding(aim, err));
	aim->n_entries = header_of(aim)->n_entries;
	return AI_OK;
}

AiCode
ai_aim_open_front(AiAim *aim, const char *kind, const void *bytes, size_t n_bytes,
				  AiError *err)
{
	*aim = (AiAim) {.bytes = bytes};
	AI_TRY(check_beginning(aim, n_bytes, err));
	aim->size = (size_t) header_of(aim)->size;
	if (aim->size < sizeof(Header))
		return wrong_size(err, aim->size, n_bytes);
	AI_TRY(check_header(aim, err));
	AI_TRY(ai_aim_check_kind(aim, kind, err));
	if (header_of(aim)->n_entries > (n_bytes - sizeof(Header)) / sizeof(Entry))
		return wrong_size(err, aim->size, n_bytes);
	AI_TRY(check_directory(aim, err));
	aim->n_entries = header_of(aim)->n_entries;
	return AI_OK;
}

const char *
ai_aim_kind(const AiAim *aim)
{
	return header_of(aim)->kind;
}

AiCode
ai_aim_check_kind(const AiAim *aim, const char *kind, AiError *err)
{
	if (strcmp(ai_aim_kind(aim), kind) != 0)
		return ai_fail(err, AI_ERR_FORMAT, "model is of kind \"%s\", expected \"%s\"",
					   ai_aim_kind(aim), kind);
	return AI_OK;
}

/* NULL: there is none */
static const Entry *
find_entry(const AiAim *aim, const char *name)
{
	size_t		index;

	if (!find_name(&index, directory_of(aim), sizeof(Entry), (size_t) aim->n_entries, name))
		return NULL;
	return directory_of(aim) + index;
}

bool
ai_aim_has(const AiAim *aim, const char *name)
{
	return find_entry(aim, name) != NULL;
}

/* NULL where ai_aim_array() fails, always by AI_ERR_FORMAT */
static const Entry *
find_array(const AiAim *aim, int64_t *dims, const char *name, AiDtype dtype, int n_dims,
		   AiError *err)
{
	const Entry *entry = find_entry(aim, name);

	if (entry == NULL)
	{
		ai_fail(err, AI_ERR_FORMAT, INVALID "it has no entry \"%s\"", name);
		return NULL;
	}
	if (entry->dtype != dtype || entry->n_dims != (uint32_t) n_dims)
	{
		ai_fail(err, AI_ERR_FORMAT, INVALID "entry \"%s\" has the wrong type", name);
		ai_detail(err, "It is %s with %" PRIu32 " dimensions, expected %s with %d.",
				  ai_dtype_name((AiDtype) entry->dtype), entry->n_dims,
				  ai_dtype_name(dtype), n_dims);
		return NULL;
	}
	for (int d = 0; d < n_dims; d++)
		dims[d] = (int64_t) entry->dims[d];
	return entry;
}

AiCode
ai_aim_array(const AiAim *aim, const void **data, int64_t *dims,
			 const char *name, AiDtype dtype, int n_dims, AiError *err)
{
	const Entry *entry = find_array(aim, dims, name, dtype, n_dims, err);

	if (entry == NULL)
		return AI_ERR_FORMAT;
	*data = aim->bytes + entry->offset;
	return AI_OK;
}

AiCode
ai_aim_shape(const AiAim *aim, int64_t *dims, const char *name,
			 AiDtype dtype, int n_dims, AiError *err)
{
	return find_array(aim, dims, name, dtype, n_dims, err) != NULL ? AI_OK : AI_ERR_FORMAT;
}

AiCode
ai_aim_shaped_array(const AiAim *aim, const void **data,
					const char *name, AiDtype dtype,
					int n_dims, const int64_t *dims, AiError *err)
{
	int64_t		actual[AI_AIM_MAX_DIMS];

	AI_TRY(ai_aim_array(aim, data, actual, name, dtype, n_dims, err));
	for (int d = 0; d < n_dims; d++)
	{
		if (actual[d] != dims[d])
			return ai_fail(err, AI_ERR_FORMAT,
						   INVALID "dimension %d of entry \"%s\" is %" PRId64 ", expected %" PRId64,
						   d + 1, name, actual[d], dims[d]);
	}
	return AI_OK;
}

AiCode
ai_aim_i64(const AiAim *aim, int64_t *value, const char *name,
		   int64_t min, int64_t max, AiError *err)
{
	const void *data;

	AI_TRY(ai_aim_array(aim, &data, NULL, name, AI_DTYPE_I64, 0, err));
	*value = *(const int64_t *) data;
	if (*value < min || *value > max)
		return ai_fail(err, AI_ERR_FORMAT,
					   INVALID "\"%s\" is %" PRId64 ", not between %" PRId64 " and %" PRId64,
					   name, *value, min, max);
	return AI_OK;
}

AiCode
ai_aim_f64(const AiAim *aim, double *value, const char *name, AiError *err)
{
	const void *data;

	AI_TRY(ai_aim_array(aim, &data, NULL, name, AI_DTYPE_F64, 0, err));
	*value = *(const double *) data;
	if (!isfinite(*value))
		return ai_fail(err, AI_ERR_FORMAT, INVALID "\"%s\" is not a finite number", name);
	return AI_OK;
}

/* The vector called name with suffix */
static AiCode
suffixed_vector(const AiAim *aim, const void **data, int64_t *n, const char *name,
				const char *suffix, AiDtype dtype, AiError *err)
{
	char		full_name[AI_AIM_NAME_SIZE];

	if (!set_name(full_name, name, suffix))
	{
		ai_fail(err, AI_ERR_BUG, "entry \"%s%s\" of a model cannot be read", name, suffix);
		return AI_ERR_BUG;
	}
	return ai_aim_array(aim, data, n, full_name, dtype, 1, err);
}

AiCode
ai_aim_strings(const AiAim *aim, AiAimStrings *strings, const char *name, AiError *err)
{
	const void *data;
	const uint64_t *offsets;
	int64_t		n_offsets;
	int64_t		n_bytes;
	bool		is_rising;

	AI_TRY(suffixed_vector(aim, &data, &n_offsets, name, OFFSETS_SUFFIX, AI_DTYPE_U64, err));
	offsets = data;
	AI_TRY(suffixed_vector(aim, &data, &n_bytes, name, BYTES_SUFFIX, AI_DTYPE_U8, err));

	is_rising = n_offsets > 0 && offsets[0] == 0 &&
		offsets[n_offsets - 1] == (uint64_t) n_bytes;
	for (int64_t i = 1; i < n_offsets && is_rising; i++)
		is_rising = offsets[i - 1] <= offsets[i];
	if (!is_rising)
		return ai_fail(err, AI_ERR_FORMAT, INVALID "the offsets of strings \"%s\" are damaged",
					   name);
	*strings = (AiAimStrings) {.offsets = offsets, .bytes = data, .n = n_offsets - 1};
	return AI_OK;
}

bool
ai_aim_strings_rise(const AiAimStrings *strings)
{
	for (int64_t i = 1; i < strings->n; i++)
	{
		size_t		len;
		size_t		last_len;
		const char *last = ai_aim_string(strings, i - 1, &last_len);
		const char *string = ai_aim_string(strings, i, &len);
		int			order = memcmp(last, string, len < last_len ? len : last_len);

		if (order > 0 || (order == 0 && last_len >= len))
			return false;
	}
	return true;
}

int64_t
ai_aim_find_string(const AiAimStrings *strings, const char *string, size_t len)
{
	for (int64_t i = 0; i < strings->n; i++)
	{
		size_t		other_len;
		const char *other = ai_aim_string(strings, i, &other_len);

		if (other_len == len && memcmp(other, string, len) == 0)
			return i;
	}
	return -1;
}

AiAimEntry
ai_aim_entry(const AiAim *aim, int64_t index)
{
	const Entry *entry = directory_of(aim) + index;
	AiAimEntry	described = {
		.name = entry->name,
		.dtype = (AiDtype) entry->dtype,
		.n_dims = (int) entry->n_dims,
		.data = aim->bytes + entry->offset,
		.size = (size_t) entry->size
	};

	for (int d = 0; d < described.n_dims; d++)
		described.dims[d] = (int64_t) entry->dims[d];
	return described;
}
