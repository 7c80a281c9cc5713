/*-------------------------------------------------------------------------
 * packed.c
 *		How packed weights lie, making them, and which way of a product runs.
 *-------------------------------------------------------------------------
 */
#include "core/kernels/packed.h"

#include <math.h>
#include <stdatomic.h>
#include <string.h>

#include "core/base/host.h"
#include "core/kernels/packed_internal.h"

static const struct
{
	const char *name;
	size_t		per_word;		/* numbers in 32 bits */
	size_t		multiple;		/* of rows of a panel */
}			precisions[AI_N_PRECISIONS] =
{
	[AI_PRECISION_FP32] = {"fp32", 1, 1},
	[AI_PRECISION_BF16] = {"bf16", 2, 16},
	[AI_PRECISION_INT8] = {"int8", 4, 16},
};

const char *
ai_precision_name(AiPrecision precision)
{
	return precisions[precision].name;
}

bool
ai_precision_find(AiPrecision *precision, const char *name)
{
	for (int i = 0; i < AI_N_PRECISIONS; i++)
	{
		if (strcmp(name, precisions[i].name) == 0)
		{
			*precision = (AiPrecision) i;
			return true;
		}
	}
	return false;
}

/*
 * Layout
 */

static size_t
n_columns_of(size_t n)
{
	return (n + AI_COLUMNS_MULTIPLE - 1) / AI_COLUMNS_MULTIPLE * AI_COLUMNS_MULTIPLE;
}

size_t
ai_packed_n_words(AiPrecision precision, size_t k)
{
	size_t		multiple = precisions[precision].multiple;
	size_t		words = (k - 1) / precisions[precision].per_word + 1;

	return (words + multiple - 1) / multiple * multiple;
}

size_t
ai_packed_row_size(AiPrecision precision, size_t k)
{
	return ai_packed_n_words(precision, k) * sizeof(uint32_t);
}

AiCode
ai_packed_size(size_t *size, AiPrecision precision, size_t n, size_t k, AiError *err)
{
	const size_t most_columns = (size_t) 1 << 28;
	size_t		n_arrays = precision == AI_PRECISION_INT8 ? 3 : 1;

	if (n == 0 || k == 0 || k > AI_PACKED_MAX_K || n > most_columns)
	{
		ai_fail(err, AI_ERR_LIMIT, "weights of %zu times %zu numbers cannot be packed", n, k);
		ai_detail(err, "Rows may have 1 to %zu numbers.", AI_PACKED_MAX_K);
		return AI_ERR_LIMIT;
	}
	*size = n_columns_of(n) * (ai_packed_n_words(precision, k) + n_arrays) * sizeof(uint32_t);
	return AI_OK;
}

AiPacked
ai_packed_view(const void *block, AiPrecision precision, size_t n, size_t k)
{
	size_t		n_columns = n_columns_of(n);
	AiPacked	packed = {
		.precision = precision, .n = n, .k = k,
		.n_words = ai_packed_n_words(precision, k),
		.words = block
	};

	packed.bias = (const float *) (packed.words + n_columns * packed.n_words);
	if (precision == AI_PRECISION_INT8)
	{
		packed.scales = packed.bias + n_columns;
		packed.sums = (const int32_t *) (packed.scales + n_columns);
	}
	return packed;
}

/*
 * Packing
 */

/* As the kernel round_rows has it */
static uint16_t
bf16_of_weight(float w)
{
	uint16_t	rounded;

	ai_kernels()->round_rows(&rounded, 1, &w, 1, 1, 1);
	return rounded;
}

/* The number that the greatest of a column becomes 127 by; 0 for a column of zeros */
static float
scale_of_column(const float *w, size_t k)
{
	float		greatest = 0;

	for (size_t p = 0; p < k; p++)
		greatest = fmaxf(greatest, fabsf(w[p]));
	return greatest >= 0x1p-100f ? greatest / 127 : 0;
}

static int8_t
int8_of_weight(float w, float scale)
{
	double		near = scale > 0 ? rint((double) w / scale) : 0;

	return (int8_t) fmin(fmax(near, -127), 127);
}

/* column: its first word; the words of a column are 16 apart */
static void
pack_column(uint32_t *column, AiPrecision precision, const float *w, size_t k, float scale)
{
	size_t		per_word = precisions[precision].per_word;

	for (size_t p = 0; p < k; p++)
	{
		unsigned char *word = (unsigned char *) &column[p / per_word * AI_PANEL_COLUMNS];
		uint16_t	half;
		int8_t		byte;

		switch (precision)
		{
			case AI_PRECISION_FP32:
				memcpy(word, &w[p], sizeof(float));
				break;
			case AI_PRECISION_BF16:
				half = bf16_of_weight(w[p]);
				memcpy(word + p % per_word * sizeof(half), &half, sizeof(half));
				break;
			default:
				byte = int8_of_weight(w[p], scale);
				memcpy(word + p % per_word, &byte, sizeof(byte));
		}
	}
}

static int32_t
sum_of_column(const uint32_t *column, size_t n_words)
{
	int32_t		sum = 0;

	for (size_t i = 0; i < n_words; i++)
	{
		int8_t		bytes[4];

		memcpy(bytes, &column[i * AI_PANEL_COLUMNS], sizeof(bytes));
		sum += bytes[0] + bytes[1] + bytes[2] + bytes[3];
	}
	return sum;
}

static size_t
place_of_column(const AiPacked *packed, size_t j)
{
	return j / AI_PANEL_COLUMNS * AI_PANEL_COLUMNS * packed->n_words + j % AI_PANEL_COLUMNS;
}

void
ai_pack(void *block, AiPrecision precision, const float *w, size_t w_row, const float *bias,
		size_t n, size_t k)
{
	AiPacked	packed = ai_packed_view(block, precision, n, k);
	uint32_t   *words = block;
	size_t		n_columns = n_columns_of(n);
	float	   *biases = (float *) (words + n_columns * packed.n_words);
	float	   *scales = biases + n_columns;
	int32_t    *sums = (int32_t *) (scales + n_columns);
	size_t		n_arrays = precision == AI_PRECISION_INT8 ? 3 : 1;

	memset(block, 0, n_columns * (packed.n_words + n_arrays) * sizeof(uint32_t));
	if (bias != NULL)
		memcpy(biases, bias, n * sizeof(float));
	for (size_t j = 0; j < n; j++, w += w_row)
	{
		uint32_t   *column = words + place_of_column(&packed, j);
		float		scale = 0;

		if (precision == AI_PRECISION_INT8)
			scale = scales[j] = scale_of_column(w, k);
		pack_column(column, precision, w, k, scale);
		if (precision == AI_PRECISION_INT8)
			sums[j] = sum_of_column(column, packed.n_words);
	}
}

/* The p-th number of the column that begins there, w[j, p] */
static float
number_of(const AiPacked *packed, const uint32_t *column, size_t j, size_t p)
{
	size_t		per_word = precisions[packed->precision].per_word;
	const unsigned char *word =
		(const unsigned char *) &column[p / per_word * AI_PANEL_COLUMNS];
	uint16_t	half;
	int8_t		byte;
	float		x;

	switch (packed->precision)
	{
		case AI_PRECISION_FP32:
			memcpy(&x, word, sizeof(x));
			return x;
		case AI_PRECISION_BF16:
			memcpy(&half, word + p % per_word * sizeof(half), sizeof(half));
			return ai_float_of_bf16(half);
		default:
			memcpy(&byte, word + p % per_word, sizeof(byte));
			return (float) byte * packed->scales[j];
	}
}

void
ai_unpack(float *w, const AiPacked *packed)
{
	for (size_t j = 0; j < packed->n; j++)
	{
		const uint32_t *column = packed->words + place_of_column(packed, j);

		for (size_t p = 0; p < packed->k; p++)
			*w++ = number_of(packed, column, j, p);
	}
}

/*
 * Checking
 */
#define MOST_WEIGHT 1e18f

/* Of one column: numbers, what fills it up, and what is kept of it */
static bool
is_column_sound(const AiPacked *packed, size_t j)
{
	const uint32_t *column = packed->words + place_of_column(packed, j);
	size_t		n = packed->n_words * precisions[packed->precision].per_word;
	bool		is_int8 = packed->precision == AI_PRECISION_INT8;
	bool		is_there = j < packed->n;

	if (!(fabsf(packed->bias[j]) <= (is_there ? MOST_WEIGHT : 0)))
		return false;
	if (is_int8 && (!(packed->scales[j] >= 0) ||
					!(packed->scales[j] <= (is_there ? MOST_WEIGHT : 0)) ||
					packed->sums[j] != sum_of_column(column, packed->n_words)))
		return false;
	for (size_t p = 0; p < n; p++)
	{
		float		most = is_there && p < packed->k ? MOST_WEIGHT : 0;

		if (!(fabsf(number_of(packed, column, j, p)) <= most))
			return false;
	}
	return true;
}

AiCode
ai_packed_check(const AiPacked *packed, const AiHost *host, AiError *err)
{
	for (size_t j = 0; j < n_columns_of(packed->n); j++)
	{
		if (ai_host_should_stop(host))
			return ai_fail(err, AI_ERR_CANCELLED, "cancelled");
		if (!is_column_sound(packed, j))
			return ai_fail(err, AI_ERR_FORMAT, "invalid weights: column %zu of %zu", j, packed->n);
	}
	return AI_OK;
}

/*
 * Ways
 */

static const AiPackedWay ways[] = {
	{"portable", AI_PRECISION_FP32, AI_CPU_PORTABLE, NULL, ai_packed_fp32_ref},
	{"portable", AI_PRECISION_BF16, AI_CPU_PORTABLE, NULL, ai_packed_bf16_ref},
	{"portable", AI_PRECISION_INT8, AI_CPU_PORTABLE, NULL, ai_packed_int8_ref},
#ifdef __x86_64__
	{"avx2", AI_PRECISION_FP32, AI_CPU_AVX2, NULL, ai_packed_fp32_avx2},
	{"avx2", AI_PRECISION_BF16, AI_CPU_AVX2, NULL, ai_packed_bf16_avx2},
	{"avx2", AI_PRECISION_INT8, AI_CPU_AVX2, NULL, ai_packed_int8_avx2},
	{"avx2 vnni", AI_PRECISION_INT8, AI_CPU_AVX2, ai_cpu_has_avx_vnni, ai_packed_vnni_avx2},
	{"avx512", AI_PRECISION_FP32, AI_CPU_AVX512, NULL, ai_packed_fp32_avx512},
	{"avx512", AI_PRECISION_BF16, AI_CPU_AVX512, NULL, ai_packed_bf16_avx512},
	{"avx512", AI_PRECISION_INT8, AI_CPU_AVX512, NULL, ai_packed_int8_avx512},
	{"avx512 bf16", AI_PRECISION_BF16, AI_CPU_AVX512, ai_cpu_has_bf16, ai_packed_dpbf16_avx512},
	{"avx512 vnni", AI_PRECISION_INT8, AI_CPU_AVX512, ai_cpu_has_vnni, ai_packed_vnni_avx512},
	{"amx", AI_PRECISION_BF16, AI_CPU_AVX512, ai_cpu_has_amx, ai_packed_bf16_amx_avx512},
	{"amx", AI_PRECISION_INT8, AI_CPU_AVX512, ai_cpu_has_amx, ai_packed_int8_amx_avx512},
#endif
};

/* The best of each level, NULL: not looked up yet */
static _Atomic(const AiPackedWay *) best[AI_CPU_N_LEVELS][AI_N_PRECISIONS];

const AiPackedWay *
ai_packed_way(size_t i)
{
	return i < sizeof(ways) / sizeof(ways[0]) ? &ways[i] : NULL;
}

bool
ai_packed_way_runs(const AiPackedWay *way)
{
	return way->level <= ai_kernels_level() && (way->is_there == NULL || way->is_there());
}

static const AiPackedWay *
best_way(AiPrecision precision)
{
	_Atomic(const AiPackedWay *) *found = &best[ai_kernels_level()][precision];
	const AiPackedWay *way = atomic_load_explicit(found, memory_order_acquire);

	if (way == NULL)
	{
		for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		{
			if (ways[i].precision == precision && ai_packed_way_runs(&ways[i]))
				way = &ways[i];
		}
		atomic_store(found, way);
	}
	return way;
}

void
ai_packed_product(const AiPackedProduct *product)
{
	best_way(product->weights->precision)->product(product);
}
