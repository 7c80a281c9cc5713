/*-------------------------------------------------------------------------
 * safetensors.h
 *		Weights in files of Hugging Face's format: named arrays behind a header of JSON.
 *
 *	u64			size of the header, at most 100,000,000
 *	header		{"name": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}, ...},
 *				perhaps "__metadata__": {"key": "value"}, perhaps spaces at its end
 *	data		the arrays row by row, little-endian, one behind the other
 *
 * All that the header says is checked when a file is opened: every array has the size that
 * its type and shape make, and together they cover the data without holes and overlaps.
 * Numbers are read in pieces, as fp32, and those that are not finite are found then.
 *-------------------------------------------------------------------------
 */
#ifndef AI_SAFETENSORS_H
#define AI_SAFETENSORS_H

#include "core/base/arena.h"
#include "core/format/source.h"

#define AI_SAFETENSORS_MAX_HEADER 100000000 /* bytes; the format's own limit */
#define AI_SAFETENSORS_MAX_TENSORS 100000
#define AI_SAFETENSORS_MAX_DIMS 8

typedef enum AiTensorType
{
	AI_TENSOR_F32,
	AI_TENSOR_F16,
	AI_TENSOR_BF16,
	AI_TENSOR_F64,
	AI_TENSOR_I8,
	AI_TENSOR_U8,
	AI_TENSOR_I32,
	AI_TENSOR_I64,
	AI_TENSOR_OTHER				/* valid, and not read */
} AiTensorType;

typedef struct AiTensor
{
	const char *name;			/* UTF-8 */
	const char *type_name;		/* as files call it: "BF16" */
	AiTensorType type;
	int			n_dims;
	int64_t		dims[AI_SAFETENSORS_MAX_DIMS];
	int64_t		n_elements;		/* their product */
	uint64_t	offset;			/* from the start of the file, bytes */
	uint64_t	size;			/* bytes */
} AiTensor;

typedef struct AiSafetensors
{
	AiSource	source;
	const char *file;			/* its name, for messages; borrowed */
	AiArena		arena;
	AiTensor   *tensors;		/* [n], by rising name */
	int64_t		n;
	uint8_t    *room;			/* for pieces that are read */
} AiSafetensors;

/*
 * Reads the header.  source's bytes must stay.  AI_ERR_FORMAT, AI_ERR_LIMIT: nothing is
 * left to close.
 */
extern AiCode ai_safetensors_open(AiSafetensors *opened, const AiHost *host,
								  const AiSource *source, const char *file, AiError *err);

extern void ai_safetensors_close(AiSafetensors *opened);

/* NULL: none of this name */
extern const AiTensor *ai_safetensors_find(const AiSafetensors *opened, const char *name);

/*
 * Elements first .. first + n - 1 in the order of the file, which must be there, as fp32.
 * AI_ERR_UNSUPPORTED for a type that is not read, AI_ERR_FORMAT where a number is not
 * finite, or not in fp32.  Integers are rounded to the next fp32.
 */
extern AiCode ai_safetensors_read(const AiSafetensors *opened, const AiTensor *tensor,
								  float *values, int64_t first, int64_t n, AiError *err);

/* The same for a tensor of type AI_TENSOR_I64 or AI_TENSOR_I32, unchanged */
extern AiCode ai_safetensors_read_integers(const AiSafetensors *opened, const AiTensor *tensor,
										   int64_t *values, int64_t first, int64_t n,
										   AiError *err);

#endif							/* AI_SAFETENSORS_H */
