/*-------------------------------------------------------------------------
 * packed_amx_avx512.c
 *		Products with packed weights, bf16 and int8, AMX.
 *
 * The processor multiplies tiles: 16 rows of 64 bytes of x by 16 rows of a panel, which makes the
 * sums of 16 rows and 16 columns.  A block is two tiles of rows by two panels, or, where there are
 * up to 16 rows, one by four.
 *-------------------------------------------------------------------------
 */
#include "core/kernels/kernels_internal.h"

#include "core/kernels/x86/amx_tiles.h"
#include "core/kernels/x86/packed_end.h"

#define BLOCK_ROWS (2 * AMX_ROWS)
#define MOST_SUMS (4 * AMX_ROWS * AI_PANEL_COLUMNS)

/* What the sums of a block come from */
typedef struct Block
{
	const char *x;
	size_t		x_row;
	const uint32_t *words;
	size_t		n_words;
	float	   *sums;			/* [rows, columns], or int32 */
} Block;

/* What differs between precisions */
typedef struct Functions
{
	void		(*two_by_two) (const Block *block);
	void		(*one_by_four) (const Block *block);
	bool		is_int8;
} Functions;

#define TWO_BY_TWO(name, multiply) \
	static void \
	name##_two_by_two(const Block *block) \
	{ \
		const char *upper = block->x; \
		const char *lower = block->x + AMX_ROWS * block->x_row; \
		const uint32_t *words = block->words; \
		size_t		panel = block->n_words * AI_PANEL_COLUMNS; \
		const size_t sums_row = 2 * AMX_BYTES; \
\
		clear_sums(); \
		for (size_t p = 0; p < block->n_words; p += AMX_WORDS) \
		{ \
			_tile_loadd(6, words, AMX_BYTES); \
			_tile_loadd(4, upper, block->x_row); \
			_tile_loadd(7, words + panel, AMX_BYTES); \
			_tile_loadd(5, lower, block->x_row); \
			multiply(0, 4, 6); \
			multiply(1, 4, 7); \
			multiply(2, 5, 6); \
			multiply(3, 5, 7); \
			upper += AMX_BYTES; \
			lower += AMX_BYTES; \
			words += AMX_WORDS * AI_PANEL_COLUMNS; \
		} \
		_tile_stored(0, block->sums, sums_row); \
		_tile_stored(1, block->sums + AMX_WORDS, sums_row); \
		_tile_stored(2, block->sums + 2 * AMX_ROWS * AMX_WORDS, sums_row); \
		_tile_stored(3, block->sums + (2 * AMX_ROWS + 1) * AMX_WORDS, sums_row); \
	}

#define ONE_BY_FOUR(name, multiply) \
	static void \
	name##_one_by_four(const Block *block) \
	{ \
		const char *x = block->x; \
		const uint32_t *words = block->words; \
		size_t		panel = block->n_words * AI_PANEL_COLUMNS; \
		const size_t sums_row = 4 * AMX_BYTES; \
\
		clear_sums(); \
		for (size_t p = 0; p < block->n_words; p += AMX_WORDS) \
		{ \
			_tile_loadd(4, x, block->x_row); \
			_tile_loadd(6, words, AMX_BYTES); \
			_tile_loadd(7, words + panel, AMX_BYTES); \
			multiply(0, 4, 6); \
			_tile_loadd(6, words + 2 * panel, AMX_BYTES); \
			multiply(1, 4, 7); \
			_tile_loadd(7, words + 3 * panel, AMX_BYTES); \
			multiply(2, 4, 6); \
			multiply(3, 4, 7); \
			x += AMX_BYTES; \
			words += AMX_WORDS * AI_PANEL_COLUMNS; \
		} \
		_tile_stored(0, block->sums, sums_row); \
		_tile_stored(1, block->sums + AMX_WORDS, sums_row); \
		_tile_stored(2, block->sums + 2 * AMX_WORDS, sums_row); \
		_tile_stored(3, block->sums + 3 * AMX_WORDS, sums_row); \
	}

TWO_BY_TWO(bf16, _tile_dpbf16ps)
ONE_BY_FOUR(bf16, _tile_dpbf16ps)
TWO_BY_TWO(int8, _tile_dpbusd)
ONE_BY_FOUR(int8, _tile_dpbusd)

static inline __attribute__((always_inline)) void
store_rows(const AiPackedEnd *all, bool is_int8, const float *sums, size_t n_rows,
		   size_t n_columns)
{
	const AiPackedEnd end = *all;	/* which stores to y do not change */

	for (size_t r = 0; r < n_rows; r++)
	{
		for (size_t j = 0; j < n_columns; j += N_FLOATS, sums += N_FLOATS)
		{
			Integers	integers;
			Floats		floats;

			LOAD(integers, sums);
			LOAD(floats, sums);
			if (is_int8)
				floats = scaled_sums(&end, r, j, integers);
			store_sums(&end, r, j, floats);
		}
	}
}

static void
store_block(const AiPackedEnd *end, bool is_int8, const float *sums, size_t n_rows,
			size_t n_columns)
{
	if (is_int8 && n_rows > AMX_ROWS)
		store_rows(end, true, sums, n_rows, 2 * AI_PANEL_COLUMNS);
	else if (is_int8)
		store_rows(end, true, sums, n_rows, n_columns);
	else
		store_rows(end, false, sums, n_rows, n_columns);
}

/* Rows from top on, as the tiles are configured, and columns from first on */
static void
compute_block(const AiPackedProduct *product, const Functions *functions, size_t top,
			  size_t n_rows, size_t first, size_t n_columns)
{
	_Alignas(64) float sums[MOST_SUMS];
	const AiPacked *w = product->weights;
	size_t		n_there = ai_least(n_columns, w->n - first);
	AiPackedEnd end = end_of(product, top, first);

	(n_rows > AMX_ROWS ? functions->two_by_two : functions->one_by_four) (&(Block) {
		.x = (const char *) product->x + top * product->x_row,
		.x_row = product->x_row,
		.words = w->words + first * w->n_words,
		.n_words = w->n_words,
		.sums = sums
	});
	if (ends_beside(product, n_columns, n_there))
	{
		AiPackedEnd beside = end_beside(&end, sums, n_columns, n_there);

		store_block(&beside, functions->is_int8, sums, n_rows, n_columns);
		copy_beside(product, &ai_kernels_avx512, &end, &beside, n_rows, n_there);
	}
	else
		store_block(&end, functions->is_int8, sums, n_rows, n_columns);
}

/* Blocks of n_rows from begin to end: all of them pass by two or four panels, then the next ones */
static void
compute_blocks(const AiPackedProduct *product, const Functions *functions, size_t begin,
			   size_t end, size_t n_rows)
{
	bool		is_one = n_rows <= AMX_ROWS;
	size_t		n_columns = (is_one ? 4 : 2) * AI_PANEL_COLUMNS;

	configure_tiles(is_one ? n_rows : AMX_ROWS, is_one ? n_rows : n_rows - AMX_ROWS);
	for (size_t first = 0; first < product->weights->n; first += n_columns)
	{
		for (size_t top = begin; top < end; top += n_rows)
			compute_block(product, functions, top, n_rows, first, n_columns);
	}
}

static void
compute_product(const AiPackedProduct *product, const Functions *functions)
{
	size_t		part = (PART_SIZE / product->x_row / BLOCK_ROWS + 1) * BLOCK_ROWS;

	for (size_t begin = 0; begin < product->m; begin += part)
	{
		size_t		end = ai_least(begin + part, product->m);
		size_t		rest = (end - begin) % BLOCK_ROWS;

		if (end - rest > begin)
			compute_blocks(product, functions, begin, end - rest, BLOCK_ROWS);
		if (rest > 0)
			compute_blocks(product, functions, end - rest, end, rest);
	}
	_tile_release();
}

void
ai_packed_bf16_amx_avx512(const AiPackedProduct *product)
{
	static const Functions functions = {bf16_two_by_two, bf16_one_by_four, false};

	compute_product(product, &functions);
}

void
ai_packed_int8_amx_avx512(const AiPackedProduct *product)
{
	static const Functions functions = {int8_two_by_two, int8_one_by_four, true};

	compute_product(product, &functions);
}
