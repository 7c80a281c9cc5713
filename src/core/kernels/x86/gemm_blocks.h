/*-------------------------------------------------------------------------
 * gemm_blocks.h
 *		A product of matrices cut into tiles, the same from AVX2 on.
 *
 * C is cut into panels of columns, and panels into tiles of rows, each of which one function
 * computes in registers.  Where the sums are long they are cut too: then a tile goes on from what
 * it has stored in C, which is the same sum in the same order.  How is a matter of time alone:
 *
 *	small		one panel after the other; parts of rows are so small that what they need of A
 *				stays in the second cache, the terms so few that the panel's part of B does
 *	few rows	all panels for a few terms, then for the next ones: B is read from memory once,
 *				as it lies, and C stays in the caches
 *	large		what some panels need of B is copied first: its rows are far apart, often by so
 *				many bytes that they displace each other in the caches
 *
 * Rows and columns are shared out evenly: 16 rows by tiles of up to 6 are 6 + 5 + 5.
 *-------------------------------------------------------------------------
 */
#ifndef AI_GEMM_BLOCKS_H
#define AI_GEMM_BLOCKS_H

#include <math.h>
#include <string.h>

#include "core/base/host.h"
#include "core/kernels/kernels.h"
#include "core/kernels/x86/tiles.h"

#define AI_TILE_MAX_ROWS 8
#define AI_TILE_MAX_VECTORS 4

/* Terms of a sum that are taken at once: so many rows of a panel of B are 64 KB at most */
#define GEMM_DEPTH 256

/* Small: numbers of A for which all panels are computed before others, 1 MB */
#define GEMM_A_SIZE (256 * 1024)

/* Few rows: so few that copying would not pay, and B has more numbers than fit into caches */
#define GEMM_FEW_ROWS 48
#define GEMM_FEW_B_SIZE(m) (256 * 1024 + 8192 * (m))
#define GEMM_FEW_DEPTH 32
#define GEMM_FEW_C_SIZE (128 * 1024)	/* numbers of C that go on to the next terms together */

/* Large: more rows, and more multiplications than this */
#define GEMM_LARGE_WORK ((size_t) 64 * 1024 * 1024)
#define GEMM_LARGE_ROWS 512
#define GEMM_LARGE_COLUMNS 256	/* of B, that are copied at once */
#define GEMM_COPY_ROW (GEMM_LARGE_COLUMNS + 16) /* no power of two, which is what copying is for */
#define GEMM_ROWS_AHEAD 4		/* of B, that are fetched while one is copied */

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

/* Terms of sums that are taken at once: of n_taps taps k each, from tap t and p on */
typedef struct AiStretch
{
	size_t		t;
	size_t		n_taps;
	size_t		p;
	size_t		k;
	bool		is_first;
	bool		is_last;
} AiStretch;

/* Some columns of C, and what is needed of B for them */
typedef struct AiPanel
{
	size_t		first_column;
	size_t		n_columns;
	const float *b;
	ptrdiff_t	b_row;
	ptrdiff_t	b_tap;
} AiPanel;

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

/* All rows of a panel, for a stretch of the sums */
static inline void
ai_gemm_rows(const AiGemm *g, const AiTiles *tiles, const AiStretch *stretch,
			 const AiPanel *panel)
{
	static const float zeros[16 * AI_TILE_MAX_VECTORS];
	size_t		vectors = (panel->n_columns + tiles->lanes - 1) / tiles->lanes;
	size_t		max_rows = tiles->max_rows[vectors - 1];
	size_t		n_tiles = (g->m + max_rows - 1) / max_rows;
	const AiTileFunction *functions = panel->n_columns == vectors * tiles->lanes
		? tiles->whole[vectors - 1]
		: tiles->masked[vectors - 1];
	ptrdiff_t	a_col = g->rows != NULL ? 1 : g->a_col;
	const float *a = g->a + (ptrdiff_t) stretch->t * g->a_tap + (ptrdiff_t) stretch->p * a_col;
	bool		activates = stretch->is_last && g->act != AI_ACT_LINEAR && g->act != AI_ACT_RELU;
	AiTile		tile = {
		.a_col = a_col,
		.a_tap = g->a_tap,
		.b = panel->b,
		.b_row = panel->b_row,
		.b_tap = panel->b_tap,
		.k = stretch->k,
		.n_taps = stretch->n_taps,
		.from = g->bias != NULL ? g->bias + panel->first_column : zeros,
		.c_row = g->c_row,
		.n_last = panel->n_columns - (vectors - 1) * tiles->lanes,
		.floor = stretch->is_last && g->act == AI_ACT_RELU ? 0 : -INFINITY
	};

	for (size_t i = 0; i < n_tiles; i++)
	{
		size_t		begin = ai_part_begin(g->m, n_tiles, i);
		size_t		n_rows = ai_part_begin(g->m, n_tiles, i + 1) - begin;

		for (size_t r = 0; r < n_rows; r++)
			tile.a[r] = a + (g->rows != NULL ? g->rows[begin + r]
							 : (ptrdiff_t) (begin + r) * g->a_row);
		tile.c = g->c + (ptrdiff_t) begin * g->c_row + panel->first_column;
		if (g->adds || !stretch->is_first)
		{
			tile.from = tile.c;
			tile.from_row = g->c_row;
		}
		functions[n_rows - 1](&tile);
		if (activates)
			ai_gemm_activate(g, tiles, tile.c, n_rows, panel->n_columns);
	}
}

/* The next terms; false after the last ones */
static inline bool
ai_gemm_next(const AiGemm *g, size_t most, AiStretch *stretch)
{
	size_t		depth = ai_least(g->k, most);
	size_t		taps = depth == 0 || depth < g->k ? 1 : most / depth;

	if (stretch->is_last)
		return false;
	stretch->is_first = stretch->n_taps == 0;
	if (!stretch->is_first)
	{
		stretch->p += stretch->k;
		if (stretch->p == g->k)
		{
			stretch->p = 0;
			stretch->t += stretch->n_taps;
		}
	}
	stretch->n_taps = ai_least(taps, g->n_taps - stretch->t);
	stretch->k = ai_least(depth, g->k - stretch->p);
	stretch->is_last = stretch->t + stretch->n_taps == g->n_taps &&
		stretch->p + stretch->k == g->k;
	return true;
}

static inline size_t
ai_gemm_n_panels(const AiGemm *g, const AiTiles *tiles)
{
	size_t		most = tiles->lanes * tiles->max_vectors;

	return (g->n + most - 1) / most;
}

/* A panel as it lies in B */
static inline AiPanel
ai_gemm_panel(const AiGemm *g, const AiTiles *tiles, const AiStretch *stretch, size_t number)
{
	size_t		vectors = (g->n + tiles->lanes - 1) / tiles->lanes;
	size_t		n_panels = ai_gemm_n_panels(g, tiles);
	size_t		first = ai_part_begin(vectors, n_panels, number) * tiles->lanes;
	size_t		end = ai_part_begin(vectors, n_panels, number + 1) * tiles->lanes;

	return (AiPanel) {
		.first_column = first,
		.n_columns = ai_least(end, g->n) - first,
		.b = g->b + (ptrdiff_t) stretch->t * g->b_tap + (ptrdiff_t) stretch->p * g->b_row + first,
		.b_row = g->b_row,
		.b_tap = g->b_tap
	};
}

/* All panels, some of them together, from B as it lies */
static inline void
ai_gemm_as_it_lies(const AiGemm *g, const AiTiles *tiles, size_t most_panels, size_t depth)
{
	size_t		n_panels = ai_gemm_n_panels(g, tiles);

	for (size_t first = 0; first < n_panels; first += most_panels)
	{
		AiStretch	stretch = {0};
		size_t		end = ai_least(first + most_panels, n_panels);

		while (ai_gemm_next(g, depth, &stretch))
		{
			for (size_t i = first; i < end; i++)
			{
				AiPanel		panel = ai_gemm_panel(g, tiles, &stretch, i);

				ai_gemm_rows(g, tiles, &stretch, &panel);
			}
		}
	}
}

/*
 * Copies
 */

static inline void
ai_gemm_copy_row(float *to, const float *from, size_t n)
{
	size_t		i = 0;

	for (; i + 16 <= n; i += 16)
		memcpy(to + i, from + i, 16 * sizeof(float));
	memcpy(to + i, from + i, (n - i) * sizeof(float));
}

/* What lies in B from the first panel's first column on, n_columns wide */
static inline void
ai_gemm_copy(float *to, const AiStretch *stretch, const AiPanel *first, size_t n_columns)
{
	for (size_t t = 0; t < stretch->n_taps; t++)
	{
		const float *from = first->b + (ptrdiff_t) t * first->b_tap;

		for (size_t p = 0; p < stretch->k; p++)
		{
			for (size_t j = 0; j < n_columns; j += 16)
				__builtin_prefetch(from + GEMM_ROWS_AHEAD * first->b_row + j);
			ai_gemm_copy_row(to, from, n_columns);
			from += first->b_row;
			to += GEMM_COPY_ROW;
		}
	}
}

/* All panels, some of them together, from copies; not inline for the sake of the stack */
static __attribute__((noinline)) void
ai_gemm_copied(const AiGemm *g, const AiTiles *tiles)
{
	_Alignas(AI_ALIGNMENT) float copy[GEMM_COPY_ROW * GEMM_DEPTH];
	size_t		n_panels = ai_gemm_n_panels(g, tiles);
	size_t		most_panels = GEMM_LARGE_COLUMNS / (tiles->lanes * tiles->max_vectors);

	for (size_t first = 0; first < n_panels; first += most_panels)
	{
		AiStretch	stretch = {0};
		size_t		last = ai_least(first + most_panels, n_panels) - 1;

		while (ai_gemm_next(g, GEMM_DEPTH, &stretch))
		{
			AiPanel		begin = ai_gemm_panel(g, tiles, &stretch, first);
			AiPanel		end = ai_gemm_panel(g, tiles, &stretch, last);

			ai_gemm_copy(copy, &stretch, &begin,
						 end.first_column + end.n_columns - begin.first_column);
			for (size_t i = first; i <= last; i++)
			{
				AiPanel		panel = ai_gemm_panel(g, tiles, &stretch, i);

				panel.b = copy + (panel.first_column - begin.first_column);
				panel.b_row = GEMM_COPY_ROW;
				panel.b_tap = (ptrdiff_t) stretch.k * GEMM_COPY_ROW;
				ai_gemm_rows(g, tiles, &stretch, &panel);
			}
		}
	}
}

/*
 * The whole
 */

/* Some rows of C, and of A */
static inline AiGemm
ai_gemm_part(const AiGemm *g, size_t n_parts, size_t i)
{
	size_t		begin = ai_part_begin(g->m, n_parts, i);
	AiGemm		part = *g;

	part.m = ai_part_begin(g->m, n_parts, i + 1) - begin;
	part.c += (ptrdiff_t) begin * g->c_row;
	if (g->rows != NULL)
		part.rows += begin;
	else
		part.a += (ptrdiff_t) begin * g->a_row;
	return part;
}

/* The kernel, but for its tiles */
static inline void
ai_gemm_by_tiles(const AiGemm *g, const AiTiles *tiles)
{
	size_t		panel_columns = tiles->lanes * tiles->max_vectors;
	size_t		b_size = g->n > panel_columns ? g->n * g->k * g->n_taps : 0;
	bool		is_large = g->m > GEMM_FEW_ROWS && b_size > GEMM_LARGE_WORK / g->m;
	size_t		n_parts = is_large ? (g->m - 1) / GEMM_LARGE_ROWS + 1 :
		g->m / (GEMM_A_SIZE / (g->k * g->n_taps + 1) + 64) + 1;

	if (g->adds && g->bias != NULL)
	{
		for (size_t i = 0; i < g->m; i++)
			tiles->level->add(g->c + (ptrdiff_t) i * g->c_row, g->bias, g->n);
	}
	for (size_t i = 0; i < n_parts; i++)
	{
		AiGemm		part = ai_gemm_part(g, n_parts, i);

		if (is_large)
			ai_gemm_copied(&part, tiles);
		else if (part.m > 0 && part.m <= GEMM_FEW_ROWS && b_size > GEMM_FEW_B_SIZE(part.m))
			ai_gemm_as_it_lies(&part, tiles, GEMM_FEW_C_SIZE / part.m / panel_columns,
							   GEMM_FEW_DEPTH);
		else
			ai_gemm_as_it_lies(&part, tiles, 1, GEMM_DEPTH);
	}
}

#endif							/* AI_GEMM_BLOCKS_H */
