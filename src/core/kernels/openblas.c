/*-------------------------------------------------------------------------
 * openblas.c
 *		Products of dense matrices by OpenBLAS, if the machine has it.
 *
 * The library is loaded when it is first wanted, and never linked.  It gets no threads of its own:
 * ours call it, and a server's signals must not arrive in others.
 *
 * A row's answer may not depend on the rows beside it, but the library chooses its code by sizes
 * and places.  So what it computes is C transposed: rows of ours are then the numbers of its
 * vectors, all of which it treats alike, as long as there are whole vectors.  It gets a multiple of
 * 16 rows, zeros at the end, and so few terms and columns at once that it does not cut them up.
 * When it is loaded, it is tried whether equal rows have equal bits: if need be, it gets 16 rows at
 * a time (its code for Haswell takes others otherwise), or is refused.
 *-------------------------------------------------------------------------
 */
#include "core/kernels/openblas.h"

#include <dlfcn.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/host.h"
#include "core/base/rng.h"

#define LIBRARY "libopenblas.so.0"
#define ONE_THREAD "OPENBLAS_NUM_THREADS"

/* What one call computes at most */
enum
{
	MAX_BLOCK_ROWS = 64,
	BLOCK_TERMS = 256,
	BLOCK_COLUMNS = 256,
	GROUP_ROWS = 16				/* its rows are a multiple */
};

static size_t block_rows;		/* at most, of the library that is loaded */

/* Of cblas.h, which need not be there when this is compiled */
enum
{
	ROW_MAJOR = 101,
	TRANSPOSED = 112
};

typedef void (*Sgemm) (int order, int transpose_a, int transpose_b, int m, int n, int k,
					   float alpha, const float *a, int lda, const float *b, int ldb,
					   float beta, float *c, int ldc);

static Sgemm sgemm;				/* NULL: not loaded */
static bool is_serial;			/* a build without locks of its own */
static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER;

/* c:[n, n_rows] += (a:[n_rows, k] * b:[k, n]) transposed */
static void
multiply(float *c, const float *a, const float *b, ptrdiff_t b_row, size_t n_rows, size_t n,
		 size_t k)
{
	if (is_serial)
		pthread_mutex_lock(&one_at_a_time);
	sgemm(ROW_MAJOR, TRANSPOSED, TRANSPOSED, (int) n, (int) n_rows, (int) k, 1, b, (int) b_row,
		  a, (int) k, 1, c, (int) n_rows);
	if (is_serial)
		pthread_mutex_unlock(&one_at_a_time);
}

/*
 * Loading
 */

enum
{
	TRIED_TERMS = BLOCK_TERMS,
	TRIED_COLUMNS = 75
};

/* c:[TRIED_COLUMNS, n_rows] */
static void
try(float *c, const float *a, const float *b, size_t n_rows)
{
	memset(c, 0, TRIED_COLUMNS * n_rows * sizeof(float));
	multiply(c, a, b, TRIED_COLUMNS, n_rows, TRIED_COLUMNS, TRIED_TERMS);
}

/* All rows are equal; so must be all sums of a column, in blocks of up to so many rows. */
static bool
rows_are_equal(size_t most)
{
	float		a[MAX_BLOCK_ROWS * TRIED_TERMS];
	float		b[TRIED_TERMS * TRIED_COLUMNS];
	float		block[TRIED_COLUMNS * MAX_BLOCK_ROWS];
	float		some[TRIED_COLUMNS * MAX_BLOCK_ROWS];
	AiRng		rng = {1};

	for (size_t p = 0; p < TRIED_TERMS; p++)
	{
		a[p] = (float) ai_rng_uniform(&rng) - 0.5F;
		for (size_t i = 1; i < most; i++)
			a[i * TRIED_TERMS + p] = a[p];
	}
	for (size_t i = 0; i < TRIED_TERMS * TRIED_COLUMNS; i++)
		b[i] = (float) ai_rng_uniform(&rng) - 0.5F;
	try(block, a, b, most);
	for (size_t n_rows = GROUP_ROWS; n_rows <= most; n_rows += GROUP_ROWS)
	{
		try(some, a, b, n_rows);
		for (size_t i = 0; i < TRIED_COLUMNS * n_rows; i++)
		{
			if (memcmp(&some[i], &block[i / n_rows * most], sizeof(float)) != 0)
				return false;
		}
	}
	return true;
}

/* Told by the environment, it starts no threads; should it start one, no signal goes there. */
static void *
open_library(void)
{
	const char *was = getenv(ONE_THREAD);
	char	   *before = was != NULL ? strdup(was) : NULL;
	sigset_t	all;
	sigset_t	mask;
	void	   *library;

	if (was != NULL && before == NULL)
		return NULL;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &mask);
	setenv(ONE_THREAD, "1", 1);
	library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
	if (before != NULL)
		setenv(ONE_THREAD, before, 1);
	else
		unsetenv(ONE_THREAD);
	pthread_sigmask(SIG_SETMASK, &mask, NULL);
	free(before);
	return library;
}

static AiCode
refuse(AiError *err, const char *why)
{
	ai_fail(err, AI_ERR_UNSUPPORTED, "could not use library \"%s\"", LIBRARY);
	if (why != NULL)
		ai_detail(err, "%s.", why);
	ai_hint(err, "Install OpenBLAS (package libopenblas0 of Debian and Ubuntu), or set aiaas.blas "
			"to own.");
	return AI_ERR_UNSUPPORTED;
}

bool
ai_openblas_is_loaded(void)
{
	return sgemm != NULL;
}

AiCode
ai_openblas_load(AiError *err)
{
	void	   *library = open_library();
	void		(*set_threads) (int n);
	int			(*get_parallel) (void);

	if (library == NULL)
		return refuse(err, dlerror());
	*(void **) &sgemm = dlsym(library, "cblas_sgemm");
	*(void **) &set_threads = dlsym(library, "openblas_set_num_threads");
	*(void **) &get_parallel = dlsym(library, "openblas_get_parallel");
	if (sgemm != NULL && set_threads != NULL && get_parallel != NULL)
	{
		set_threads(1);
		is_serial = get_parallel() == 0;
		block_rows = rows_are_equal(MAX_BLOCK_ROWS) ? MAX_BLOCK_ROWS : GROUP_ROWS;
		if (rows_are_equal(block_rows))
			return AI_OK;
	}
	sgemm = NULL;
	dlclose(library);
	return refuse(err, "The sums of a row depend on the rows beside it");
}

/*
 * Products
 */

/* What is asked here must not change with the number of rows. */
static bool
suits(const AiGemm *g)
{
	return g->n >= 16 && g->k >= 16 && g->n * g->k >= 4096 &&
		g->b_row >= (ptrdiff_t) g->n && g->b_row <= INT_MAX;
}

static size_t
at_most(size_t n, size_t most)
{
	return n < most ? n : most;
}

/* to:[n_padded, k] = some terms of some rows of A, which begin at a */
static void
copy_terms(float *to, const AiGemm *g, const float *a, size_t first_row, size_t n_rows,
		   size_t n_padded, size_t k)
{
	for (size_t i = 0; i < n_rows; i++, to += k)
	{
		const float *row = a + (g->rows != NULL ? g->rows[first_row + i]
								: (ptrdiff_t) (first_row + i) * g->a_row);

		if (g->rows != NULL || g->a_col == 1)
			memcpy(to, row, k * sizeof(float));
		else
		{
			for (size_t p = 0; p < k; p++)
				to[p] = row[(ptrdiff_t) p * g->a_col];
		}
	}
	memset(to, 0, (n_padded - n_rows) * k * sizeof(float));
}

/* sums:[n_columns, n_padded] += the product transposed, of which n_rows are wanted */
static void
add_product(float *sums, const AiGemm *g, size_t first_row, size_t n_rows, size_t n_padded,
			size_t first_column, size_t n_columns)
{
	_Alignas(AI_ALIGNMENT) float terms[MAX_BLOCK_ROWS * BLOCK_TERMS];
	ptrdiff_t	a_col = g->rows != NULL ? 1 : g->a_col;

	for (size_t t = 0; t < g->n_taps; t++)
	{
		const float *a = g->a + (ptrdiff_t) t * g->a_tap;
		const float *b = g->b + (ptrdiff_t) t * g->b_tap + first_column;

		for (size_t p = 0; p < g->k; p += BLOCK_TERMS)
		{
			size_t		k = at_most(g->k - p, BLOCK_TERMS);

			copy_terms(terms, g, a + (ptrdiff_t) p * a_col, first_row, n_rows, n_padded, k);
			multiply(sums, terms, b + (ptrdiff_t) p * g->b_row, g->b_row, n_padded, n_columns, k);
		}
	}
}

static void
compute_block(const AiGemm *g, const AiKernels *level, size_t first_row, size_t n_rows,
			  size_t first_column, size_t n_columns)
{
	_Alignas(AI_ALIGNMENT) float sums[BLOCK_COLUMNS * MAX_BLOCK_ROWS];
	size_t		n_padded = (n_rows + GROUP_ROWS - 1) / GROUP_ROWS * GROUP_ROWS;
	float	   *c = g->c + (ptrdiff_t) first_row * g->c_row + first_column;

	memset(sums, 0, n_columns * n_padded * sizeof(float));
	if (g->adds)
		level->transpose(sums, (ptrdiff_t) n_padded, c, g->c_row, n_rows, n_columns);
	for (size_t i = 0; i < n_columns * n_padded && g->bias != NULL; i++)
		sums[i] += g->bias[first_column + i / n_padded];
	add_product(sums, g, first_row, n_rows, n_padded, first_column, n_columns);
	level->transpose(c, g->c_row, sums, (ptrdiff_t) n_padded, n_columns, n_rows);
	for (size_t i = 0; i < n_rows && g->act != AI_ACT_LINEAR; i++, c += g->c_row)
		level->activate(c, c, n_columns, g->act);
}

void
ai_openblas_gemm(const AiGemm *g, const AiKernels *level)
{
	if (!suits(g))
	{
		level->gemm(g);
		return;
	}
	for (size_t j = 0; j < g->n; j += BLOCK_COLUMNS)
	{
		for (size_t i = 0; i < g->m; i += block_rows)
			compute_block(g, level, i, at_most(g->m - i, block_rows), j,
						  at_most(g->n - j, BLOCK_COLUMNS));
	}
}
