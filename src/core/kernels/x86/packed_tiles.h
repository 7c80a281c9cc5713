/*-------------------------------------------------------------------------
 * packed_tiles.h
 *		A product with packed weights, tile by tile, from AVX2 on.
 *
 * Included once by each file that computes such products.  Before, the file defines what a tile is
 * made of:
 *
 *	TILE_ROWS, TILE_VECTORS		its size at most; a vector is one of the level
 *	Sums, Words, Factor			a vector of sums, one of 32 bits of columns, and 32 bits of a row
 *	NO_SUMS						sums of nothing
 *	SUMS_ARE_INTEGERS			if they are
 *	words_at(), factor_of(), add_terms()
 *	FETCHES_AHEAD				if it pays to fetch the next panels
 *
 * All rows of a part pass by the words of a tile's columns, then by the next ones.
 *-------------------------------------------------------------------------
 */
#include "core/kernels/x86/packed_end.h"

#define TILE_COLUMNS (TILE_VECTORS * N_FLOATS)

typedef struct AiPackedTile
{
	const char *x[TILE_ROWS];
	const uint32_t *words;		/* of its panels */
	size_t		n_words;
	const uint32_t *ahead;		/* a panel that will be wanted in the second cache */
	AiPackedEnd end;
} AiPackedTile;

typedef void (*AiPackedTileFunction) (const AiPackedTile *tile);

/* Where a vector's words begin */
static inline size_t
place_of_vector(int v, size_t n_words)
{
	size_t		column = (size_t) v * N_FLOATS;

	return column / AI_PANEL_COLUMNS * AI_PANEL_COLUMNS * n_words + column % AI_PANEL_COLUMNS;
}

static inline __attribute__((always_inline)) void
compute_tile(const AiPackedTile *tile, int n_rows)
{
	Sums		sums[TILE_ROWS][TILE_VECTORS];
	const AiPackedEnd end = tile->end;	/* which stores to y do not change */
	const uint32_t *words[TILE_VECTORS];
	const char *x[TILE_ROWS];

	AI_UNROLL
	for (int v = 0; v < TILE_VECTORS; v++)
		words[v] = tile->words + place_of_vector(v, tile->n_words);
	AI_UNROLL
	for (int r = 0; r < n_rows; r++)
	{
		x[r] = tile->x[r];
		AI_UNROLL
		for (int v = 0; v < TILE_VECTORS; v++)
			sums[r][v] = NO_SUMS;
	}
	for (size_t p = 0; p < tile->n_words; p++)
	{
		Words		row[TILE_VECTORS];

#ifdef FETCHES_AHEAD
		__builtin_prefetch(tile->ahead + p * AI_PANEL_COLUMNS, 0, 2);
#endif
		AI_UNROLL
		for (int v = 0; v < TILE_VECTORS; v++)
			row[v] = words_at(words[v] + p * AI_PANEL_COLUMNS);
		AI_UNROLL
		for (int r = 0; r < n_rows; r++)
		{
			Factor		factor = factor_of(x[r] + p * sizeof(uint32_t));

			AI_UNROLL
			for (int v = 0; v < TILE_VECTORS; v++)
				sums[r][v] = add_terms(sums[r][v], factor, row[v]);
		}
	}
	AI_UNROLL
	for (int r = 0; r < n_rows; r++)
	{
		AI_UNROLL
		for (int v = 0; v < TILE_VECTORS; v++)
		{
			size_t		column = (size_t) v * N_FLOATS;

#ifdef SUMS_ARE_INTEGERS
			store_sums(&end, (size_t) r, column,
					   scaled_sums(&end, (size_t) r, column, (Integers) sums[r][v]));
#else
			store_sums(&end, (size_t) r, column, (Floats) sums[r][v]);
#endif
		}
	}
}

#define AI_PACKED_TILE(rows) \
	static void \
	tile_of_##rows(const AiPackedTile *tile) \
	{ \
		compute_tile(tile, rows); \
	}

AI_PACKED_TILE(1)
AI_PACKED_TILE(2)
AI_PACKED_TILE(3)
AI_PACKED_TILE(4)
#if TILE_ROWS > 4
AI_PACKED_TILE(5)
AI_PACKED_TILE(6)
#endif

static const AiPackedTileFunction tile_functions[TILE_ROWS] = {
	tile_of_1, tile_of_2, tile_of_3, tile_of_4,
#if TILE_ROWS > 4
	tile_of_5, tile_of_6
#endif
};

/* What is fetched by a tile of rows: of the panels for the next columns, the one of its number */
static inline const uint32_t *
panel_ahead(const AiPacked *w, size_t first, size_t tile)
{
	size_t		column = first + TILE_COLUMNS + tile * AI_PANEL_COLUMNS;

	if (tile * AI_PANEL_COLUMNS >= TILE_COLUMNS || column >= w->n)
		column = first;
	return w->words + column * w->n_words;
}

/* Rows from begin to end, columns of one tile from first on */
static inline void
compute_rows(const AiPackedProduct *product, const AiKernels *kernels, size_t begin, size_t end,
			 size_t first)
{
	const AiPacked *w = product->weights;
	size_t		n_there = ai_least(TILE_COLUMNS, w->n - first);
	size_t		n_tiles = (end - begin + TILE_ROWS - 1) / TILE_ROWS;
	bool		is_beside = ends_beside(product, TILE_COLUMNS, n_there);
	_Alignas(64) float result[TILE_ROWS * TILE_COLUMNS];
	AiPackedTile tile = {
		.words = w->words + first * w->n_words,
		.n_words = w->n_words
	};

	for (size_t t = 0; t < n_tiles; t++)
	{
		size_t		top = begin + ai_part_begin(end - begin, n_tiles, t);
		size_t		n_rows = begin + ai_part_begin(end - begin, n_tiles, t + 1) - top;
		AiPackedEnd tile_end;

		for (size_t r = 0; r < n_rows; r++)
			tile.x[r] = (const char *) product->x + (top + r) * product->x_row;
		tile.ahead = panel_ahead(w, first, t);
		tile_end = end_of(product, top, first);
		tile.end = is_beside ? end_beside(&tile_end, result, TILE_COLUMNS, n_there) : tile_end;
		tile_functions[n_rows - 1](&tile);
		if (is_beside)
			copy_beside(product, kernels, &tile_end, &tile.end, n_rows, n_there);
	}
}

static inline void
compute_product(const AiPackedProduct *product, const AiKernels *kernels)
{
	size_t		part = (PART_SIZE / product->x_row / TILE_ROWS + 1) * TILE_ROWS;

	for (size_t begin = 0; begin < product->m; begin += part)
	{
		for (size_t first = 0; first < product->weights->n; first += TILE_COLUMNS)
			compute_rows(product, kernels, begin, ai_least(begin + part, product->m), first);
	}
}
