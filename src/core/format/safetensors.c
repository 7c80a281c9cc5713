/*-------------------------------------------------------------------------
 * safetensors.c
 *		Weights in files of Hugging Face's format.
 *
 * The header is scanned once, into a list of tensors whose names stay in the
 * header's own bytes.  Sorted by place, the list shows holes and overlaps; by
 * name, names that are there twice.
 *-------------------------------------------------------------------------
 */
#include "core/format/safetensors.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/json_scan.h"

#define PIECE_SIZE ((size_t) 64 * 1024) /* that is read at once, bytes; a multiple of 8 */
#define METADATA "__metadata__"

#define INVALID "invalid safetensors file \"%s\": "

static const struct
{
	const char *name;
	int			bits;
	AiTensorType type;
}			types[] = {
	{"F32", 32, AI_TENSOR_F32}, {"F16", 16, AI_TENSOR_F16}, {"BF16", 16, AI_TENSOR_BF16},
	{"F64", 64, AI_TENSOR_F64}, {"I8", 8, AI_TENSOR_I8}, {"U8", 8, AI_TENSOR_U8},
	{"I32", 32, AI_TENSOR_I32}, {"I64", 64, AI_TENSOR_I64},
	{"BOOL", 8, AI_TENSOR_OTHER}, {"I16", 16, AI_TENSOR_OTHER}, {"U16", 16, AI_TENSOR_OTHER},
	{"U32", 32, AI_TENSOR_OTHER}, {"U64", 64, AI_TENSOR_OTHER}, {"C64", 64, AI_TENSOR_OTHER},
	{"F8_E5M2", 8, AI_TENSOR_OTHER}, {"F8_E4M3", 8, AI_TENSOR_OTHER},
	{"F8_E8M0", 8, AI_TENSOR_OTHER}, {"F8_E4M3FNUZ", 8, AI_TENSOR_OTHER},
	{"F8_E5M2FNUZ", 8, AI_TENSOR_OTHER}, {"F6_E2M3", 6, AI_TENSOR_OTHER},
	{"F6_E3M2", 6, AI_TENSOR_OTHER}, {"F4", 4, AI_TENSOR_OTHER},
};

#define N_TYPES (int) (sizeof(types) / sizeof(types[0]))

/* While the header is read */
typedef struct Parse
{
	const char *file;
	const AiHost *host;
	AiJsonScan	scan;
	AiBuf		tensors;		/* of AiTensor */
	bool		has_metadata;
	AiError    *err;
} Parse;

/* What the scanner found wrong with the header, under the file's name */
static AiCode
next_token(Parse *parse, AiJsonToken *token)
{
	AiCode		code = ai_json_scan_next(&parse->scan, token, parse->err);
	AiError    *err = parse->err;

	if (code == AI_ERR_FORMAT && err != NULL)
	{
		AiError		found = *err;

		ai_fail(err, code, INVALID "its header is %s", parse->file, found.message);
		ai_detail(err, "%s", found.detail);
	}
	return code;
}

static AiCode
wrong_tensor(Parse *parse, const char *name, const char *what)
{
	return ai_fail(parse->err, AI_ERR_FORMAT, INVALID "%s of tensor \"%s\"", parse->file, what,
				   name);
}

/* A list of whole numbers, at most max of them; -1 for anything else, -2 for more */
static AiCode
read_numbers(Parse *parse, uint64_t *numbers, int *n, int max)
{
	AiJsonToken token;
	bool		is_whole = true;
	int			n_read = 0;

	*n = -1;
	AI_TRY(next_token(parse, &token));
	if (token.kind != AI_JSON_TOKEN_ARRAY)
		return AI_OK;
	for (;;)
	{
		uint64_t	number;

		AI_TRY(next_token(parse, &token));
		if (token.kind == AI_JSON_TOKEN_ARRAY_END)
			break;
		if (!ai_json_token_u64(&token, &number))
			return AI_OK;		/* the caller gives up */
		is_whole &= number <= INT64_MAX;
		if (n_read < max)
			numbers[n_read] = number;
		n_read += n_read <= max;
	}
	if (is_whole)
		*n = n_read > max ? -2 : n_read;
	return AI_OK;
}

static AiCode
read_type(Parse *parse, AiTensor *tensor, int *bits)
{
	AiJsonToken token;

	AI_TRY(next_token(parse, &token));
	for (int i = 0; i < N_TYPES && token.kind == AI_JSON_TOKEN_STRING; i++)
	{
		if (strcmp(token.bytes, types[i].name) == 0)
		{
			tensor->type = types[i].type;
			tensor->type_name = types[i].name;
			*bits = types[i].bits;
			return AI_OK;
		}
	}
	if (token.kind != AI_JSON_TOKEN_STRING)
		return wrong_tensor(parse, tensor->name, "wrong dtype");
	return ai_fail(parse->err, AI_ERR_UNSUPPORTED,
				   "tensor \"%s\" of file \"%s\" has elements of type \"%s\", which is not known",
				   tensor->name, parse->file, token.bytes);
}

static AiCode
read_shape(Parse *parse, AiTensor *tensor)
{
	uint64_t	dims[AI_SAFETENSORS_MAX_DIMS];

	AI_TRY(read_numbers(parse, dims, &tensor->n_dims, AI_SAFETENSORS_MAX_DIMS));
	if (tensor->n_dims == -2)
	{
		ai_fail(parse->err, AI_ERR_LIMIT, "tensor \"%s\" of file \"%s\" has too many dimensions",
				tensor->name, parse->file);
		ai_detail(parse->err, "At most %d dimensions are read.", AI_SAFETENSORS_MAX_DIMS);
		return AI_ERR_LIMIT;
	}
	if (tensor->n_dims < 0)
		return wrong_tensor(parse, tensor->name, "wrong shape");
	for (int d = 0; d < tensor->n_dims; d++)
		tensor->dims[d] = (int64_t) dims[d];
	return AI_OK;
}

static AiCode
read_offsets(Parse *parse, AiTensor *tensor)
{
	uint64_t	offsets[2];
	int			n;

	AI_TRY(read_numbers(parse, offsets, &n, 2));
	if (n != 2 || offsets[0] > offsets[1])
		return wrong_tensor(parse, tensor->name, "wrong data_offsets");
	tensor->offset = offsets[0];
	tensor->size = offsets[1] - offsets[0];
	return AI_OK;
}

/* The shape's elements must take the bytes between the offsets. */
static AiCode
check_size(Parse *parse, AiTensor *tensor, int bits)
{
	uint64_t	n_bits = (uint64_t) bits;
	int64_t		n = 1;

	for (int d = 0; d < tensor->n_dims; d++)
	{
		if (__builtin_mul_overflow(n, tensor->dims[d], &n) || n > INT64_MAX / 64)
			return wrong_tensor(parse, tensor->name, "too large a shape");
	}
	n_bits *= (uint64_t) n;
	if (n_bits % 8 != 0 || n_bits / 8 != tensor->size)
	{
		wrong_tensor(parse, tensor->name, "shape and data_offsets that do not fit");
		ai_detail(parse->err, "Its shape makes %" PRIu64 " bytes, its data_offsets %" PRIu64 ".",
				  n_bits / 8, tensor->size);
		return AI_ERR_FORMAT;
	}
	tensor->n_elements = n;
	return AI_OK;
}

/* One field behind its key; found gets its bit. */
static AiCode
read_field(Parse *parse, AiTensor *tensor, int *bits, const AiJsonToken *key, unsigned *found)
{
	static const char *const fields[] = {"dtype", "shape", "data_offsets"};
	AiJsonToken value;
	int			f = 0;

	while (f < 3 && strcmp(key->bytes, fields[f]) != 0)
		f++;
	if (f == 3)
	{
		/* the reference overlooks what it does not know */
		AI_TRY(next_token(parse, &value));
		return ai_json_scan_skip(&parse->scan, &value, parse->err);
	}
	if (*found & 1u << f)
		return wrong_tensor(parse, tensor->name, "repeated field");
	*found |= 1u << f;
	if (f == 0)
		return read_type(parse, tensor, bits);
	return f == 1 ? read_shape(parse, tensor) : read_offsets(parse, tensor);
}

static AiCode
read_tensor(Parse *parse, const char *name)
{
	AiTensor	tensor = {.name = name};
	AiJsonToken token;
	unsigned	found = 0;
	int			bits = 0;

	AI_TRY(next_token(parse, &token));
	if (token.kind != AI_JSON_TOKEN_OBJECT)
		return wrong_tensor(parse, name, "wrong description");
	for (;;)
	{
		AI_TRY(next_token(parse, &token));
		if (token.kind == AI_JSON_TOKEN_OBJECT_END)
			break;
		AI_TRY(read_field(parse, &tensor, &bits, &token, &found));
	}
	if (found != 7)
		return wrong_tensor(parse, name, "missing dtype, shape or data_offsets");
	AI_TRY(check_size(parse, &tensor, bits));
	if (parse->tensors.len / sizeof(AiTensor) == AI_SAFETENSORS_MAX_TENSORS)
	{
		ai_fail(parse->err, AI_ERR_LIMIT, "file \"%s\" has too many tensors", parse->file);
		ai_detail(parse->err, "At most %d tensors are read.", AI_SAFETENSORS_MAX_TENSORS);
		return AI_ERR_LIMIT;
	}
	return ai_buf_append(&parse->tensors, &tensor, sizeof(tensor), parse->err);
}

/* Nothing of it is kept. */
static AiCode
read_metadata(Parse *parse)
{
	AiJsonToken token;

	if (parse->has_metadata)
		return ai_fail(parse->err, AI_ERR_FORMAT, INVALID "its metadata are there twice",
					   parse->file);
	parse->has_metadata = true;
	AI_TRY(next_token(parse, &token));
	if (token.kind == AI_JSON_TOKEN_NULL)
		return AI_OK;
	while (token.kind == AI_JSON_TOKEN_OBJECT || token.kind == AI_JSON_TOKEN_STRING)
	{
		AI_TRY(next_token(parse, &token));
		if (token.kind == AI_JSON_TOKEN_OBJECT_END)
			return AI_OK;
		AI_TRY(next_token(parse, &token));
		if (token.kind != AI_JSON_TOKEN_STRING)
			break;
	}
	return ai_fail(parse->err, AI_ERR_FORMAT, INVALID "its metadata are no strings", parse->file);
}

static AiCode
read_header(Parse *parse)
{
	AiJsonToken token;

	AI_TRY(next_token(parse, &token));
	if (token.kind != AI_JSON_TOKEN_OBJECT)
		return ai_fail(parse->err, AI_ERR_FORMAT, INVALID "its header is no JSON object",
					   parse->file);
	for (;;)
	{
		AI_TRY(next_token(parse, &token));
		if (token.kind == AI_JSON_TOKEN_OBJECT_END)
			return next_token(parse, &token);
		if (strcmp(token.bytes, METADATA) == 0)
			AI_TRY(read_metadata(parse));
		else
			AI_TRY(read_tensor(parse, token.bytes));
	}
}

/*
 * The tensors together
 */
static int
compare_places(const void *a, const void *b)
{
	const AiTensor *x = a;
	const AiTensor *y = b;

	if (x->offset != y->offset)
		return x->offset < y->offset ? -1 : 1;
	if (x->size != y->size)
		return x->size < y->size ? -1 : 1;
	return strcmp(x->name, y->name);
}

static int
compare_names(const void *a, const void *b)
{
	return strcmp(((const AiTensor *) a)->name, ((const AiTensor *) b)->name);
}

static AiCode
check_places(AiSafetensors *opened, uint64_t data_start, AiError *err)
{
	uint64_t	data_size = opened->source.size - data_start;
	uint64_t	end = 0;

	qsort(opened->tensors, (size_t) opened->n, sizeof(AiTensor), compare_places);
	for (int64_t i = 0; i < opened->n; i++)
	{
		AiTensor   *tensor = &opened->tensors[i];

		if (tensor->offset != end)
			return ai_fail(err, AI_ERR_FORMAT,
						   INVALID "tensor \"%s\" begins at byte %" PRIu64 " instead of %" PRIu64,
						   opened->file, tensor->name, tensor->offset, end);
		if (tensor->size > data_size - end)
		{
			ai_fail(err, AI_ERR_FORMAT, INVALID "tensor \"%s\" ends beyond the end of the file",
					opened->file, tensor->name);
			ai_detail(err, "The tensor ends at byte %" PRIu64 ", the file has %" PRIu64 " bytes.",
					  data_start + end + tensor->size, opened->source.size);
			ai_hint(err, "The file may have been cut short; transfer it again.");
			return AI_ERR_FORMAT;
		}
		end += tensor->size;
		tensor->offset += data_start;
	}
	if (end != data_size)
		return ai_fail(err, AI_ERR_FORMAT,
					   INVALID "%" PRIu64 " bytes at its end belong to no tensor",
					   opened->file, data_size - end);
	return AI_OK;
}

static AiCode
check_names(AiSafetensors *opened, AiError *err)
{
	qsort(opened->tensors, (size_t) opened->n, sizeof(AiTensor), compare_names);
	for (int64_t i = 1; i < opened->n; i++)
	{
		if (strcmp(opened->tensors[i - 1].name, opened->tensors[i].name) == 0)
			return ai_fail(err, AI_ERR_FORMAT, INVALID "tensor \"%s\" is there twice",
						   opened->file, opened->tensors[i].name);
	}
	return AI_OK;
}

/* Scan the header, and keep the list of tensors that it makes. */
static AiCode
parse_header(AiSafetensors *opened, char *header, size_t size, AiError *err)
{
	Parse		parse = {.file = opened->file, .err = err};
	size_t		list_size;
	AiCode		code;

	ai_buf_init(&parse.tensors, opened->arena.host);
	ai_json_scan_init(&parse.scan, header, size);
	code = read_header(&parse);
	list_size = parse.tensors.len;
	if (code == AI_OK)
	{
		opened->n = (int64_t) (list_size / sizeof(AiTensor));
		opened->tensors = ai_arena_alloc(&opened->arena, list_size);
		if (opened->tensors == NULL)
			code = ai_out_of_memory(err, list_size, "the list of tensors");
		else if (list_size > 0)
			memcpy(opened->tensors, parse.tensors.data, list_size);
	}
	ai_buf_free(&parse.tensors);
	return code;
}

static AiCode
too_short(const AiSafetensors *opened, AiError *err)
{
	ai_fail(err, AI_ERR_FORMAT, INVALID "it ends within its header", opened->file);
	ai_detail(err, "The file has %" PRIu64 " bytes.", opened->source.size);
	ai_hint(err, "The file may have been cut short; transfer it again.");
	return AI_ERR_FORMAT;
}

static AiCode
open_file(AiSafetensors *opened, AiError *err)
{
	uint64_t	size;
	char	   *header;

	if (opened->source.size < sizeof(size))
		return too_short(opened, err);
	AI_TRY(ai_source_read(&opened->source, &size, 0, sizeof(size), err));
	if (size > AI_SAFETENSORS_MAX_HEADER)
		return ai_fail(err, AI_ERR_FORMAT,
					   INVALID "its header of %" PRIu64 " bytes is larger than %d bytes",
					   opened->file, size, AI_SAFETENSORS_MAX_HEADER);
	if (size > opened->source.size - sizeof(size))
		return too_short(opened, err);
	header = ai_arena_alloc(&opened->arena, (size_t) size);
	opened->room = ai_arena_alloc(&opened->arena, PIECE_SIZE);
	if (header == NULL || opened->room == NULL)
		return ai_out_of_memory(err, (size_t) size, "the header of a safetensors file");
	AI_TRY(ai_source_read(&opened->source, header, sizeof(size), (size_t) size, err));
	if (size == 0 || header[0] != '{')
		return ai_fail(err, AI_ERR_FORMAT, INVALID "its header is no JSON object", opened->file);
	AI_TRY(parse_header(opened, header, (size_t) size, err));
	AI_TRY(check_places(opened, sizeof(size) + size, err));
	return check_names(opened, err);
}

AiCode
ai_safetensors_open(AiSafetensors *opened, const AiHost *host, const AiSource *source,
					const char *file, AiError *err)
{
	AiCode		code;

	*opened = (AiSafetensors) {.source = *source, .file = file};
	ai_arena_init(&opened->arena, host);
	code = open_file(opened, err);
	if (code != AI_OK)
		ai_safetensors_close(opened);
	return code;
}

void
ai_safetensors_close(AiSafetensors *opened)
{
	ai_arena_free(&opened->arena);
	opened->tensors = NULL;
	opened->n = 0;
}

const AiTensor *
ai_safetensors_find(const AiSafetensors *opened, const char *name)
{
	AiTensor	wanted = {.name = name};

	if (opened->n == 0)
		return NULL;
	return bsearch(&wanted, opened->tensors, (size_t) opened->n, sizeof(AiTensor),
				   compare_names);
}

/*
 * Numbers
 */

/* Halves: 1 sign, 5 exponent, 10 fraction; subnormal ones become normal. */
static float
half_to_float(uint16_t half)
{
	uint32_t	magnitude = half & 0x7FFFu;
	uint32_t	bits;
	float		value;

	if (magnitude < 0x0400)
		value = (float) magnitude * 0x1p-24f;
	else
	{
		/* infinities and NaNs have the highest exponent, here as there */
		bits = (magnitude << 13) + (magnitude >= 0x7C00 ? 0x70000000u : 0x38000000u);
		memcpy(&value, &bits, sizeof(value));
	}
	return (half & 0x8000u) != 0 ? -value : value;
}

static float
brain_to_float(uint16_t brain)
{
	uint32_t	bits = (uint32_t) brain << 16;
	float		value;

	memcpy(&value, &bits, sizeof(value));
	return value;
}

#define CONVERT(type, expression) \
	for (size_t i = 0; i < n; i++) \
	{ \
		type		x; \
		memcpy(&x, from + i * sizeof(x), sizeof(x)); \
		to[i] = (expression); \
	} \
	break

/* from:[n] of the file's type, at any address */
static void
convert(float *to, const uint8_t *from, size_t n, AiTensorType type)
{
	switch (type)
	{
		case AI_TENSOR_F32:
			memcpy(to, from, n * sizeof(float));
			break;
		case AI_TENSOR_F16:
			CONVERT(uint16_t, half_to_float(x));
		case AI_TENSOR_BF16:
			CONVERT(uint16_t, brain_to_float(x));
		case AI_TENSOR_F64:
			CONVERT(double, (float) x);
		case AI_TENSOR_I8:
			CONVERT(int8_t, (float) x);
		case AI_TENSOR_U8:
			CONVERT(uint8_t, (float) x);
		case AI_TENSOR_I32:
			CONVERT(int32_t, (float) x);
		case AI_TENSOR_I64:
			CONVERT(int64_t, (float) x);
		case AI_TENSOR_OTHER:
			break;
	}
}

/* first: the number in the tensor of values[0] */
static AiCode
check_finite(const AiSafetensors *opened, const AiTensor *tensor, const float *values,
			 int64_t first, size_t n, AiError *err)
{
	for (size_t i = 0; i < n; i++)
	{
		if (!isfinite(values[i]))
		{
			ai_fail(err, AI_ERR_FORMAT, "tensor \"%s\" of file \"%s\" has a number that is not finite",
					tensor->name, opened->file);
			ai_detail(err, "Element %" PRId64 " is %s.", first + (int64_t) i,
					  isnan(values[i]) ? "not a number" : "infinite in single precision");
			return AI_ERR_FORMAT;
		}
	}
	return AI_OK;
}

/* A piece of the tensor as it lies in the file: *n elements, at most max, from first on */
static AiCode
view_piece(const AiSafetensors *opened, const AiTensor *tensor, const uint8_t **bytes,
		   int64_t first, int64_t max, size_t *n, AiError *err)
{
	size_t		width = (size_t) (tensor->size / (uint64_t) tensor->n_elements);

	*n = PIECE_SIZE / width;
	if ((int64_t) *n > max)
		*n = (size_t) max;
	return ai_source_view(&opened->source, bytes, opened->room,
						  tensor->offset + (uint64_t) first * width, *n * width, err);
}

static AiCode
check_range(const AiTensor *tensor, int64_t first, int64_t n, AiError *err)
{
	if (first < 0 || n < 0 || first > tensor->n_elements || n > tensor->n_elements - first)
		return ai_fail(err, AI_ERR_BUG, "elements beyond the end of tensor \"%s\" are asked for",
					   tensor->name);
	return AI_OK;
}

static AiCode
unsupported_type(const AiSafetensors *opened, const AiTensor *tensor, AiError *err)
{
	ai_fail(err, AI_ERR_UNSUPPORTED,
			"tensor \"%s\" of file \"%s\" has elements of type %s, which is not supported",
			tensor->name, opened->file, tensor->type_name);
	ai_hint(err, "Store the model in F32, F16 or BF16.");
	return AI_ERR_UNSUPPORTED;
}

AiCode
ai_safetensors_read(const AiSafetensors *opened, const AiTensor *tensor,
					float *values, int64_t first, int64_t n, AiError *err)
{
	if (tensor->type == AI_TENSOR_OTHER)
		return unsupported_type(opened, tensor, err);
	AI_TRY(check_range(tensor, first, n, err));
	while (n > 0)
	{
		const uint8_t *bytes;
		size_t		n_piece;

		AI_TRY(view_piece(opened, tensor, &bytes, first, n, &n_piece, err));
		convert(values, bytes, n_piece, tensor->type);
		AI_TRY(check_finite(opened, tensor, values, first, n_piece, err));
		values += n_piece;
		first += (int64_t) n_piece;
		n -= (int64_t) n_piece;
	}
	return AI_OK;
}

AiCode
ai_safetensors_read_integers(const AiSafetensors *opened, const AiTensor *tensor,
							 int64_t *values, int64_t first, int64_t n, AiError *err)
{
	if (tensor->type != AI_TENSOR_I64 && tensor->type != AI_TENSOR_I32)
		return unsupported_type(opened, tensor, err);
	AI_TRY(check_range(tensor, first, n, err));
	while (n > 0)
	{
		const uint8_t *bytes;
		size_t		n_piece;

		AI_TRY(view_piece(opened, tensor, &bytes, first, n, &n_piece, err));
		for (size_t i = 0; i < n_piece; i++)
		{
			int32_t		narrow;

			if (tensor->type == AI_TENSOR_I64)
				memcpy(&values[i], bytes + i * sizeof(int64_t), sizeof(int64_t));
			else
			{
				memcpy(&narrow, bytes + i * sizeof(narrow), sizeof(narrow));
				values[i] = narrow;
			}
		}
		values += n_piece;
		first += (int64_t) n_piece;
		n -= (int64_t) n_piece;
	}
	return AI_OK;
}
