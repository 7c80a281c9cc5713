/*-------------------------------------------------------------------------
 * gemm_blocks.h
 *		A product of matrices cut into tiles, the same from AVX2 on.
 *
 * C is cut into parts of rows, so that what they need of A stays in the second cache, parts into
 * panels of columns, and panels into tiles of rows, each of which one function computes in
 * registers.  B is read where it lies.  Where the sums are long they are cut too, so that a
 * panel's part of B stays in the nearest caches for all of its tiles: then a tile goes on from
 * what it has stored in C, which is the same sum in the same order.
 *
 * Rows and columns are shared out evenly: 16 rows by tiles of up to 6 are 6 + 5 + 5.
 *-------------------------------------------------------------------------
 */
#ifndef AI_GEMM_BLOCKS_H
#define AI_GEMM_BLOCKS_H

#include <math.h>

#include "core/kernels/kernels.h"

#define AI_TILE_MAX_ROWS 8
#define AI_TILE_MAX_VECTORS 4

/* Before each loop over the rows or vectors of a tile, or the sums are not kept in registers */
#ifdef __clang__
#define AI_UNROLL _Pragma("unroll")
#else
#define AI_UNROLL _Pragma("GCC unroll 8")
#endif

/* Terms of a sum that are taken at once: so many rows of a panel of B are 64 KB at most */
#define GEMM_DEPTH 256

/* Numbers of A for which all panels are computed before others: 1 MB, in the second cache */
#define GEMM_A_SIZE (256 * 1024)

/*
 * c = max(floor, from + sum); terms are a[i][t * a_tap + p * a_col] * b[t * b_tap + p * b_row + j]
 */
typedef struct AiTile
{
	const float *a[AI_TILE_MAX_ROWS];
	ptrdiff_t	a_col;
	ptrdiff_t	a_tap;
	const float *b;
	ptrdiff_t	b_row;
	ptrdiff_t	b_tap;
	size_t		k;
	size_t		n_taps;
	const float *from;			/* c itself, bias or zeros */
	ptrdiff_t	from_row;
	float	   *c;
	ptrdiff_t	c_row;
	size_t		n_last;			/* columns in the last vector */
	float		floor;
} AiTile;

typedef void (*AiTileFunction) (const AiTile *tile);

/*
 * The functions of tiles of up to 6 or 8 rows of v vectors, made from the level's compute_tile(),
 * and their names
 */
#define AI_TILE(rows, vectors) \
	static void \
	whole_##rows##x##vectors(const AiTile *tile) \
	{ \
		compute_tile(tile, rows, vectors, false); \
	} \
	static void \
	masked_##rows##x##vectors(const AiTile *tile) \
	{ \
		compute_tile(tile, rows, vectors, true); \
	}

#define AI_TILES_OF_6(v) \
	AI_TILE(1, v) AI_TILE(2, v) AI_TILE(3, v) AI_TILE(4, v) AI_TILE(5, v) AI_TILE(6, v)
#define AI_TILES_OF_8(v) AI_TILES_OF_6(v) AI_TILE(7, v) AI_TILE(8, v)

#define AI_TILE_NAMES_OF_6(kind, v) \
	kind##_1x##v, kind##_2x##v, kind##_3x##v, kind##_4x##v, kind##_5x##v, kind##_6x##v
#define AI_TILE_NAMES_OF_8(kind, v) AI_TILE_NAMES_OF_6(kind, v), kind##_7x##v, kind##_8x##v

/* What a level brings; a tile's function is at [vectors - 1][rows - 1] */
typedef struct AiTiles
{
	size_t		lanes;			/* of a vector */
	size_t		max_vectors;
	size_t		max_rows[AI_TILE_MAX_VECTORS];
	AiTileFunction whole[AI_TILE_MAX_VECTORS][AI_TILE_MAX_ROWS];
	AiTileFunction masked[AI_TILE_MAX_VECTORS][AI_TILE_MAX_ROWS];	/* a part of the last vector */
	const AiKernels *level;
} AiTiles;

/* Some columns of C, and a part of their sums' terms: from tap t and term p on */
typedef struct AiPanel
{
	size_t		first_column;
	size_t		n_columns;
	size_t		t;
	size_t		n_taps;
	size_t		p;
	size_t		k;
	bool		is_first;
	bool		is_last;
} AiPanel;

static inline size_t
ai_least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Where the i-th of n parts begins, which share out a whole as evenly as can be */
static inline size_t
ai_part_begin(size_t whole, size_t n, size_t i)
{
	return whole / n * i + ai_least(i, whole % n);
}

static inline void
ai_gemm_activate(const AiGemm *g, const AiTiles *tiles, float *c, size_t n_rows, size_t n_columns)
{
	if ((ptrdiff_t) n_columns == g->c_row)
		tiles->level->activate(c, c, n_rows * n_columns, g->act);
	else
	{
		for (size_t r = 0; r < n_rows; r++, c += g->c_row)
			tiles->level->activate(c, c, n_columns, g->act);
	}
}

/* All rows of a panel, for its part of the sums */
static inline void
ai_gemm_rows(const AiGemm *g, const AiTiles *tiles, const AiPanel *panel)
{
	static const float zeros[16 * AI_TILE_MAX_VECTORS];
	size_t		vectors = (panel->n_columns + tiles->lanes - 1) / tiles->lanes;
	size_t		max_rows = tiles->max_rows[vectors - 1];
	size_t		n_tiles = (g->m + max_rows - 1) / max_rows;
	const AiTileFunction *functions = panel->n_columns == vectors * tiles->lanes
		? tiles->whole[vectors - 1]
		: tiles->masked[vectors - 1];
	const float *a = g->a + (ptrdiff_t) panel->t * g->a_tap + (ptrdiff_t) panel->p * g->a_col;
	bool		activates = panel->is_last && g->act != AI_ACT_LINEAR && g->act != AI_ACT_RELU;
	AiTile		tile = {
		.a_col = g->rows != NULL ? 1 : g->a_col,
		.a_tap = g->a_tap,
		.b = g->b + (ptrdiff_t) panel->t * g->b_tap + (ptrdiff_t) panel->p * g->b_row +
			panel->first_column,
		.b_row = g->b_row,
		.b_tap = g->b_tap,
		.k = panel->k,
		.n_taps = panel->n_taps,
		.from = g->bias != NULL ? g->bias + panel->first_column : zeros,
		.c_row = g->c_row,
		.n_last = panel->n_columns - (vectors - 1) * tiles->lanes,
		.floor = panel->is_last && g->act == AI_ACT_RELU ? 0 : -INFINITY
	};

	for (size_t i = 0; i < n_tiles; i++)
	{
		size_t		begin = ai_part_begin(g->m, n_tiles, i);
		size_t		n_rows = ai_part_begin(g->m, n_tiles, i + 1) - begin;

		for (size_t r = 0; r < n_rows; r++)
			tile.a[r] = a + (g->rows != NULL ? g->rows[begin + r]
							 : (ptrdiff_t) (begin + r) * g->a_row);
		tile.c = g->c + (ptrdiff_t) begin * g->c_row + panel->first_column;
		if (g->adds || !panel->is_first)
		{
			tile.from = tile.c;
			tile.from_row = g->c_row;
		}
		functions[n_rows - 1](&tile);
		if (activates)
			ai_gemm_activate(g, tiles, tile.c, n_rows, panel->n_columns);
	}
}

static inline void
ai_gemm_panel(const AiGemm *g, const AiTiles *tiles, AiPanel *panel)
{
	size_t		depth = ai_least(g->k, GEMM_DEPTH);
	size_t		taps = depth == 0 || depth < g->k ? 1 : GEMM_DEPTH / depth;

	panel->t = panel->p = 0;
	panel->is_first = true;
	do
	{
		panel->n_taps = ai_least(taps, g->n_taps - panel->t);
		panel->k = ai_least(depth, g->k - panel->p);
		panel->is_last = panel->t + panel->n_taps == g->n_taps && panel->p + panel->k == g->k;
		ai_gemm_rows(g, tiles, panel);
		panel->is_first = false;
		panel->p += panel->k;
		if (panel->p == g->k)
		{
			panel->p = 0;
			panel->t += panel->n_taps;
		}
	} while (!panel->is_last);
}

/* All panels of some rows */
static inline void
ai_gemm_panels(const AiGemm *g, const AiTiles *tiles)
{
	size_t		vectors = (g->n + tiles->lanes - 1) / tiles->lanes;
	size_t		n_panels = (vectors + tiles->max_vectors - 1) / tiles->max_vectors;

	for (size_t i = 0; i < n_panels; i++)
	{
		size_t		end = ai_part_begin(vectors, n_panels, i + 1) * tiles->lanes;
		AiPanel		panel = {.first_column = ai_part_begin(vectors, n_panels, i) * tiles->lanes};

		panel.n_columns = ai_least(end, g->n) - panel.first_column;
		ai_gemm_panel(g, tiles, &panel);
	}
}

/* The kernel, but for its tiles */
static inline void
ai_gemm_by_tiles(const AiGemm *g, const AiTiles *tiles)
{
	size_t		n_parts = g->m / (GEMM_A_SIZE / (g->k * g->n_taps + 1) + 64) + 1;

	if (g->adds && g->bias != NULL)
	{
		for (size_t i = 0; i < g->m; i++)
			tiles->level->add(g->c + (ptrdiff_t) i * g->c_row, g->bias, g->n);
	}
	for (size_t i = 0; i < n_parts; i++)
	{
		size_t		begin = ai_part_begin(g->m, n_parts, i);
		AiGemm		part = *g;

		part.m = ai_part_begin(g->m, n_parts, i + 1) - begin;
		part.c += (ptrdiff_t) begin * g->c_row;
		if (g->rows != NULL)
			part.rows += begin;
		else
			part.a += (ptrdiff_t) begin * g->a_row;
		ai_gemm_panels(&part, tiles);
	}
}

#endif							/* AI_GEMM_BLOCKS_H */
