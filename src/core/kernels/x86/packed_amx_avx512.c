/*-------------------------------------------------------------------------
 * packed_amx_avx512.c
 *		Products with packed weights, bf16 and int8, AMX.
 *
 * The processor multiplies tiles: 16 rows of 64 bytes of x by 16 rows of 64 bytes of a panel, which
 * makes the sums of 16 rows and 16 columns.  32 rows are computed by two tiles of either at a time,
 * up to 16 rows by all four tiles of a panel's columns.
 *-------------------------------------------------------------------------
 */
#include "core/kernels/kernels_internal.h"

#include "core/kernels/x86/amx_tiles.h"
#include "core/kernels/x86/packed_end.h"

#define BLOCK_ROWS (2 * AMX_ROWS)
#define PANEL_ROW (AI_PANEL_COLUMNS * sizeof(uint32_t))

/* What the sums of a panel's columns come from, of up to 32 rows */
typedef struct Block
{
	const char *x;
	size_t		x_row;
	const uint32_t *words;
	size_t		n_words;
	void	   *sums;			/* [rows, 64], int32 or float */
} Block;

typedef void (*BlockFunction) (const Block *block);

/* More than 16 rows: two columns of tiles, then the other two */
#define BLOCK_OF_TWO(name, multiply) \
	static void \
	name##_of_two(const Block *block) \
	{ \
		for (size_t j = 0; j < AI_PANEL_COLUMNS; j += 2 * AMX_WORDS) \
		{ \
			const char *upper = block->x; \
			const char *lower = block->x + AMX_ROWS * block->x_row; \
			const uint32_t *words = block->words + j; \
			float	   *sums = (float *) block->sums + j; \
\
			clear_sums(); \
			for (size_t p = 0; p < block->n_words; p += AMX_WORDS) \
			{ \
				_tile_loadd(6, words, PANEL_ROW); \
				_tile_loadd(4, upper, block->x_row); \
				_tile_loadd(7, words + AMX_WORDS, PANEL_ROW); \
				_tile_loadd(5, lower, block->x_row); \
				multiply(0, 4, 6); \
				multiply(1, 4, 7); \
				multiply(2, 5, 6); \
				multiply(3, 5, 7); \
				upper += AMX_BYTES; \
				lower += AMX_BYTES; \
				words += AMX_WORDS * AI_PANEL_COLUMNS; \
			} \
			_tile_stored(0, sums, PANEL_ROW); \
			_tile_stored(1, sums + AMX_WORDS, PANEL_ROW); \
			sums += AMX_ROWS * AI_PANEL_COLUMNS; \
			_tile_stored(2, sums, PANEL_ROW); \
			_tile_stored(3, sums + AMX_WORDS, PANEL_ROW); \
		} \
	}

/* Up to 16 rows */
#define BLOCK_OF_ONE(name, multiply) \
	static void \
	name##_of_one(const Block *block) \
	{ \
		const char *x = block->x; \
		const uint32_t *words = block->words; \
		float	   *sums = block->sums; \
\
		clear_sums(); \
		for (size_t p = 0; p < block->n_words; p += AMX_WORDS) \
		{ \
			_tile_loadd(4, x, block->x_row); \
			_tile_loadd(6, words, PANEL_ROW); \
			_tile_loadd(7, words + AMX_WORDS, PANEL_ROW); \
			multiply(0, 4, 6); \
			_tile_loadd(6, words + 2 * AMX_WORDS, PANEL_ROW); \
			multiply(1, 4, 7); \
			_tile_loadd(7, words + 3 * AMX_WORDS, PANEL_ROW); \
			multiply(2, 4, 6); \
			multiply(3, 4, 7); \
			x += AMX_BYTES; \
			words += AMX_WORDS * AI_PANEL_COLUMNS; \
		} \
		_tile_stored(0, sums, PANEL_ROW); \
		_tile_stored(1, sums + AMX_WORDS, PANEL_ROW); \
		_tile_stored(2, sums + 2 * AMX_WORDS, PANEL_ROW); \
		_tile_stored(3, sums + 3 * AMX_WORDS, PANEL_ROW); \
	}

BLOCK_OF_TWO(bf16, _tile_dpbf16ps)
BLOCK_OF_ONE(bf16, _tile_dpbf16ps)
BLOCK_OF_TWO(int8, _tile_dpbusd)
BLOCK_OF_ONE(int8, _tile_dpbusd)

static inline __attribute__((always_inline)) void
store_rows(const AiPackedEnd *all, bool is_int8, const void *sums, size_t n_rows)
{
	const AiPackedEnd end = *all;	/* which stores to y do not change */

	for (size_t r = 0; r < n_rows; r++)
	{
		AI_UNROLL
		for (size_t j = 0; j < AI_PANEL_COLUMNS; j += N_FLOATS)
		{
			const int32_t *from = (const int32_t *) sums + r * AI_PANEL_COLUMNS + j;
			Integers	integers;
			Floats		floats;

			LOAD(integers, from);
			LOAD(floats, from);
			if (is_int8)
				floats = scaled_sums(&end, r, j, integers);
			store_sums(&end, r, j, floats);
		}
	}
}

static void
store_block(const AiPackedEnd *end, AiPrecision precision, const void *sums, size_t n_rows)
{
	if (precision == AI_PRECISION_INT8)
		store_rows(end, true, sums, n_rows);
	else
		store_rows(end, false, sums, n_rows);
}

/* Up to 32 rows from top on, as the tiles are configured, of all columns of a panel */
static void
compute_block(const AiPackedProduct *product, BlockFunction function, size_t top, size_t n_rows,
			  size_t first)
{
	_Alignas(64) float sums[BLOCK_ROWS * AI_PANEL_COLUMNS];
	const AiPacked *w = product->weights;
	size_t		n_columns = ai_least(AI_PANEL_COLUMNS, w->n - first);
	AiPackedEnd end = end_of(product, top, first);

	function(&(Block) {
		.x = (const char *) product->x + top * product->x_row,
		.x_row = product->x_row,
		.words = w->words + first * w->n_words,
		.n_words = w->n_words,
		.sums = sums
	});
	if (n_columns == AI_PANEL_COLUMNS)
		store_block(&end, w->precision, sums, n_rows);
	else
	{
		AiPackedEnd beside = end_beside(&end, sums, AI_PANEL_COLUMNS);

		store_block(&beside, w->precision, sums, n_rows);
		copy_beside(&end, &beside, n_rows, n_columns);
	}
	activate_end(&end, &ai_kernels_avx512, product->act, n_rows, n_columns);
}

/* Blocks of n_rows, one or two tiles of them, from begin to end */
static void
compute_blocks(const AiPackedProduct *product, BlockFunction of_one, BlockFunction of_two,
			   size_t begin, size_t end, size_t n_rows)
{
	bool		is_one = n_rows <= AMX_ROWS;

	configure_tiles(is_one ? n_rows : AMX_ROWS, is_one ? n_rows : n_rows - AMX_ROWS);
	for (size_t first = 0; first < product->weights->n; first += AI_PANEL_COLUMNS)
	{
		for (size_t top = begin; top < end; top += n_rows)
			compute_block(product, is_one ? of_one : of_two, top, n_rows, first);
	}
}

static void
compute_product(const AiPackedProduct *product, BlockFunction of_one, BlockFunction of_two)
{
	size_t		part = (PART_SIZE / product->x_row / BLOCK_ROWS + 1) * BLOCK_ROWS;

	for (size_t begin = 0; begin < product->m; begin += part)
	{
		size_t		end = ai_least(begin + part, product->m);
		size_t		rest = (end - begin) % BLOCK_ROWS;

		if (end - rest > begin)
			compute_blocks(product, of_one, of_two, begin, end - rest, BLOCK_ROWS);
		if (rest > 0)
			compute_blocks(product, of_one, of_two, end - rest, end, rest);
	}
	_tile_release();
}

void
ai_packed_bf16_amx_avx512(const AiPackedProduct *product)
{
	compute_product(product, bf16_of_one, bf16_of_two);
}

void
ai_packed_int8_amx_avx512(const AiPackedProduct *product)
{
	compute_product(product, int8_of_one, int8_of_two);
}
