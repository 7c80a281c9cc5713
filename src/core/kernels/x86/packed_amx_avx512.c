/*-------------------------------------------------------------------------
 * packed_amx_avx512.c
 *		Products with packed weights, bf16 and int8, AMX.
 *
 * The processor multiplies tiles: 16 rows of 64 bytes of x by 16 rows of 64 bytes of a panel, which
 * makes the sums of 16 rows and 16 columns.  32 rows are computed by two tiles of either at a time,
 * up to 16 rows by all four tiles of a panel's columns.
 *
 * The system gives these registers to a process that asks for them, and makes room for them where a
 * thread first uses them.  Here they are in use during a product, and nobody else meets them.
 *-------------------------------------------------------------------------
 */
#include "core/kernels/kernels_internal.h"

#include <immintrin.h>

#include "core/kernels/x86/packed_end.h"

#define TILE_ROWS 16
#define TILE_BYTES 64
#define TILE_WORDS (TILE_BYTES / sizeof(uint32_t))
#define BLOCK_ROWS (2 * TILE_ROWS)
#define PANEL_ROW (AI_PANEL_COLUMNS * sizeof(uint32_t))

/* What the processor is told of its tiles */
typedef struct TileConfig
{
	uint8_t		palette;
	uint8_t		start;
	uint8_t		reserved[14];
	uint16_t	row_bytes[16];
	uint8_t		rows[16];
} TileConfig;

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

/* Tiles 0 to 3 are sums, 4 and 5 of x, 6 and 7 of weights; 2, 3 and 5 are of the lower rows */
static void
configure(size_t n_upper, size_t n_lower)
{
	const size_t rows[8] = {
		n_upper, n_upper, n_lower, n_lower, n_upper, n_lower, TILE_ROWS, TILE_ROWS
	};
	TileConfig	config = {.palette = 1};

	for (int i = 0; i < 8; i++)
	{
		config.rows[i] = (uint8_t) rows[i];
		config.row_bytes[i] = TILE_BYTES;
	}
	_tile_loadconfig(&config);
}

/* More than 16 rows: two columns of tiles, then the other two */
#define BLOCK_OF_TWO(name, multiply) \
	static void \
	name##_of_two(const Block *block) \
	{ \
		for (size_t j = 0; j < AI_PANEL_COLUMNS; j += 2 * TILE_WORDS) \
		{ \
			const char *upper = block->x; \
			const char *lower = block->x + TILE_ROWS * block->x_row; \
			const uint32_t *words = block->words + j; \
			float	   *sums = (float *) block->sums + j; \
\
			_tile_zero(0); \
			_tile_zero(1); \
			_tile_zero(2); \
			_tile_zero(3); \
			for (size_t p = 0; p < block->n_words; p += TILE_WORDS) \
			{ \
				_tile_loadd(6, words, PANEL_ROW); \
				_tile_loadd(4, upper, block->x_row); \
				_tile_loadd(7, words + TILE_WORDS, PANEL_ROW); \
				_tile_loadd(5, lower, block->x_row); \
				multiply(0, 4, 6); \
				multiply(1, 4, 7); \
				multiply(2, 5, 6); \
				multiply(3, 5, 7); \
				upper += TILE_BYTES; \
				lower += TILE_BYTES; \
				words += TILE_WORDS * AI_PANEL_COLUMNS; \
			} \
			_tile_stored(0, sums, PANEL_ROW); \
			_tile_stored(1, sums + TILE_WORDS, PANEL_ROW); \
			sums += TILE_ROWS * AI_PANEL_COLUMNS; \
			_tile_stored(2, sums, PANEL_ROW); \
			_tile_stored(3, sums + TILE_WORDS, PANEL_ROW); \
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
		_tile_zero(0); \
		_tile_zero(1); \
		_tile_zero(2); \
		_tile_zero(3); \
		for (size_t p = 0; p < block->n_words; p += TILE_WORDS) \
		{ \
			_tile_loadd(4, x, block->x_row); \
			_tile_loadd(6, words, PANEL_ROW); \
			_tile_loadd(7, words + TILE_WORDS, PANEL_ROW); \
			multiply(0, 4, 6); \
			_tile_loadd(6, words + 2 * TILE_WORDS, PANEL_ROW); \
			multiply(1, 4, 7); \
			_tile_loadd(7, words + 3 * TILE_WORDS, PANEL_ROW); \
			multiply(2, 4, 6); \
			multiply(3, 4, 7); \
			x += TILE_BYTES; \
			words += TILE_WORDS * AI_PANEL_COLUMNS; \
		} \
		_tile_stored(0, sums, PANEL_ROW); \
		_tile_stored(1, sums + TILE_WORDS, PANEL_ROW); \
		_tile_stored(2, sums + 2 * TILE_WORDS, PANEL_ROW); \
		_tile_stored(3, sums + 3 * TILE_WORDS, PANEL_ROW); \
	}

BLOCK_OF_TWO(bf16, _tile_dpbf16ps)
BLOCK_OF_ONE(bf16, _tile_dpbf16ps)
BLOCK_OF_TWO(int8, _tile_dpbusd)
BLOCK_OF_ONE(int8, _tile_dpbusd)

static void
store_block(const AiPackedEnd *end, AiPrecision precision, const void *sums, size_t n_rows)
{
	for (size_t r = 0; r < n_rows; r++)
	{
		for (size_t j = 0; j < AI_PANEL_COLUMNS; j += N_FLOATS)
		{
			const int32_t *from = (const int32_t *) sums + r * AI_PANEL_COLUMNS + j;
			Integers	integers;
			Floats		floats;

			LOAD(integers, from);
			LOAD(floats, from);
			if (precision == AI_PRECISION_INT8)
				floats = scaled_sums(end, r, j, integers);
			store_sums(end, r, j, floats);
		}
	}
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
	bool		is_one = n_rows <= TILE_ROWS;

	configure(is_one ? n_rows : TILE_ROWS, is_one ? n_rows : n_rows - TILE_ROWS);
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
