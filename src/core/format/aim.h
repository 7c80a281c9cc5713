/*-------------------------------------------------------------------------
 * aim.h
 *		The format in which models are stored: named arrays in one block.
 *
 * A block holds no pointers and every payload is 64-byte aligned in it, so it
 * is used where it lies: in memory, in a mapped file, at any aligned address,
 * by many readers at once.  All numbers are little-endian.
 *
 *	offset	size	header (64 bytes)
 *	0		8		magic: 0x89 'A' 'I' 'M' 0x0D 0x0A 0x1A 0x0A
 *	8		4		u32 format version, 1
 *	12		4		u32 number of entries, n
 *	16		8		u64 size of the whole block, bytes
 *	24		8		zero
 *	32		32		kind of model, 1 to 31 visible ASCII characters, zero padded
 *
 *	64		128*n	directory, by strictly rising name (bytewise)
 *		+0		64	name, 1 to 63 visible ASCII characters, zero padded
 *		+64		4	u32 element type, a number of AiDtype
 *		+68		4	u32 number of dimensions, 0 (a scalar) to 4
 *		+72		32	u64 dimensions [4], row-major, zero where unused
 *		+104	8	u64 offset of the payload from the start of the block
 *		+112	8	u64 size of the payload, bytes, without padding
 *		+120	8	zero
 *
 *	64+128*n		payloads in the order of the directory, each at the next
 *					multiple of 64, zero padded to one, the last one too
 *
 * So nothing is left to choose: equal arrays under equal names are equal
 * bytes, which is what content hashes rely on.  A reader refuses every block
 * that a writer could not have made, except for the values in the payloads:
 * those are for the model's own reader to check.
 *
 * A list of n strings named "x" is two entries: "x.offsets", u64 [n + 1],
 * which starts at 0, never falls and ends at the size of "x.bytes", u8.
 *
 * The format version rises only when old readers would go wrong.  Readers of
 * old versions stay here for ever, and test/golden has a block of each.
 *-------------------------------------------------------------------------
 */
#ifndef AI_AIM_H
#define AI_AIM_H

#include "core/base/arena.h"
#include "core/base/buf.h"
#include "core/tensor/dtype.h"

#define AI_AIM_VERSION 1
#define AI_AIM_MAX_DIMS 4
#define AI_AIM_NAME_SIZE 64		/* with the terminating zero */
#define AI_AIM_KIND_SIZE 32		/* likewise */

/*
 * Writing: init, add every entry in any order, finish, take the bytes, free.
 * Names are the program's own choice, so a wrong or repeated one is
 * AI_ERR_BUG.  Otherwise only memory can run out, and the host stop a large block.
 */
typedef struct AiAimWriter
{
	const AiHost *host;			/* borrowed */
	AiArena		arena;			/* copies of small values */
	AiBuf		entries;		/* of AiAimPending, see aim.c */
	uint8_t    *block;			/* the result, or its front; NULL before finish */
	size_t		size;			/* of the whole block, bytes; known also when it is too large */
	size_t		max_size;		/* that finish makes, else AI_ERR_LIMIT; 0: any */
	char		kind[AI_AIM_KIND_SIZE];
} AiAimWriter;

/* kind is copied; a wrong one is reported by finish */
extern void ai_aim_writer_init(AiAimWriter *writer, const AiHost *host, const char *kind);

/*
 * An array of dims[0] * ... * dims[n_dims - 1] elements; dims is copied, data
 * is borrowed until finish, which copies it once, to its final place.
 */
extern AiCode ai_aim_add(AiAimWriter *writer, const char *name, AiDtype dtype,
						 const void *data, int n_dims, const int64_t *dims,
						 AiError *err);

/*
 * Room for an array that the caller computes in place: zeros after finish,
 * to be filled through ai_aim_reserved().  For what is too large to hold twice.
 */
extern AiCode ai_aim_reserve(AiAimWriter *writer, const char *name, AiDtype dtype,
							 int n_dims, const int64_t *dims, AiError *err);

/* Scalars and strings are copied at once.  name: at most 55 characters for strings */
extern AiCode ai_aim_add_i64(AiAimWriter *writer, const char *name, int64_t value,
							 AiError *err);
extern AiCode ai_aim_add_f64(AiAimWriter *writer, const char *name, double value,
							 AiError *err);
extern AiCode ai_aim_add_strings(AiAimWriter *writer, const char *name,
								 const char *const *strings, const size_t *lens,
								 int64_t n_strings, AiError *err);

/* Lay the block out; *bytes is 64-byte aligned and lives until free. */
extern AiCode ai_aim_finish(AiAimWriter *writer, const void **bytes, size_t *size,
							AiError *err);

/*
 * Instead of finish, for a block whose payloads are written elsewhere: its
 * first bytes, up to the first payload, and the size of the whole.  The rest
 * is each payload at its place, zeros between them.
 */
extern AiCode ai_aim_finish_front(AiAimWriter *writer, const void **front, size_t *front_size,
								  size_t *size, AiError *err);

/* After finish: the room of a reserved entry in the block; NULL: none of this name */
extern void *ai_aim_reserved(AiAimWriter *writer, const char *name);

extern void ai_aim_writer_free(AiAimWriter *writer);

/*
 * Reading: open over bytes that stay the caller's and must outlive the reader
 * and everything got from it.  There is nothing to close; an AiAim may be
 * copied.  Errors of a damaged or foreign block are AI_ERR_FORMAT, those of a
 * version that is too new AI_ERR_UNSUPPORTED.
 */
typedef struct AiAim
{
	const uint8_t *bytes;		/* borrowed */
	size_t		size;			/* bytes */
	int64_t		n_entries;
} AiAim;

/* bytes must be 64-byte aligned and may hold anything at all. */
extern AiCode ai_aim_open(AiAim *aim, const void *bytes, size_t size, AiError *err);

/*
 * The same over the first bytes of a block of this kind, before the rest is
 * there: all that header and directory say is checked, and aim->size is that of
 * the whole block.  Such a reader knows n_entries and ai_aim_shape() only.
 */
extern AiCode ai_aim_open_front(AiAim *aim, const char *kind, const void *bytes,
								size_t n_bytes, AiError *err);

extern const char *ai_aim_kind(const AiAim *aim);

/* AI_ERR_FORMAT, naming both, unless the block is a model of this kind */
extern AiCode ai_aim_check_kind(const AiAim *aim, const char *kind, AiError *err);

extern bool ai_aim_has(const AiAim *aim, const char *name);

/*
 * The array called name, which must be of this type and number of dimensions.
 * dims:[n_dims] is filled with its size, whose product is known not to
 * overflow; it may be NULL when n_dims is 0.
 */
extern AiCode ai_aim_array(const AiAim *aim, const void **data, int64_t *dims,
						   const char *name, AiDtype dtype, int n_dims, AiError *err);

/* Its dimensions alone, dims:[n_dims] */
extern AiCode ai_aim_shape(const AiAim *aim, int64_t *dims, const char *name,
						   AiDtype dtype, int n_dims, AiError *err);

/* The same for an array that must have exactly these dimensions */
extern AiCode ai_aim_shaped_array(const AiAim *aim, const void **data,
								  const char *name, AiDtype dtype,
								  int n_dims, const int64_t *dims, AiError *err);

/* A scalar, which must lie between min and max */
extern AiCode ai_aim_i64(const AiAim *aim, int64_t *value, const char *name,
						 int64_t min, int64_t max, AiError *err);

/* A scalar, which must be finite */
extern AiCode ai_aim_f64(const AiAim *aim, double *value, const char *name, AiError *err);

typedef struct AiAimStrings
{
	const uint64_t *offsets;	/* [n + 1], checked */
	const char *bytes;			/* not terminated, may hold zeros */
	int64_t		n;
} AiAimStrings;

/* Reads all offsets once, to check them. */
extern AiCode ai_aim_strings(const AiAim *aim, AiAimStrings *strings, const char *name,
							 AiError *err);

/* index 0 .. n - 1; not terminated */
static inline const char *
ai_aim_string(const AiAimStrings *strings, int64_t index, size_t *len)
{
	*len = (size_t) (strings->offsets[index + 1] - strings->offsets[index]);
	return strings->bytes + strings->offsets[index];
}

/* Is each greater than the one before, by its bytes?  Then no two are equal. */
extern bool ai_aim_strings_rise(const AiAimStrings *strings);

/* The index of a string, or -1 */
extern int64_t ai_aim_find_string(const AiAimStrings *strings, const char *string, size_t len);

/* For describing a model */
typedef struct AiAimEntry
{
	const char *name;
	AiDtype		dtype;
	int			n_dims;
	int64_t		dims[AI_AIM_MAX_DIMS];	/* zero where unused */
	const void *data;
	size_t		size;			/* of data, bytes */
} AiAimEntry;

/* index 0 .. aim->n_entries - 1, by rising name */
extern AiAimEntry ai_aim_entry(const AiAim *aim, int64_t index);

#endif							/* AI_AIM_H */
