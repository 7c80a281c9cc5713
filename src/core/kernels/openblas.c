/*-------------------------------------------------------------------------
 * openblas.c
 *		Products of dense matrices by OpenBLAS, if the machine has it.
 *
 * The library is loaded when it is first wanted, and never linked.  It gets no threads of its own:
 * ours call it, and a server's signals must not arrive in others.
 *
 * A row's answer may not depend on the rows beside it, but the library chooses its code by the
 * number of rows.  So it is called for blocks of 16, 32, 48 or 64 rows, the last one padded with
 * zeros, and for so few terms and columns at once that it does not cut them up.  A library that
 * gives equal rows different bits even so is refused.
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
	BLOCK_ROWS = 64,
	BLOCK_TERMS = 256,
	BLOCK_COLUMNS = 512,
	PADDED_ROWS = 16			/* its rows are a multiple */
};

/* Of cblas.h, which need not be there when this is compiled */
enum
{
	ROW_MAJOR = 101,
	NOT_TRANSPOSED = 111
};

typedef void (*Sgemm) (int order, int transpose_a, int transpose_b, int m, int n, int k,
					   float alpha, const float *a, int lda, const float *b, int ldb,
					   float beta, float *c, int ldc);

static Sgemm sgemm;				/* NULL: not loaded */
static bool is_serial;			/* a build without locks of its own */
static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER;

/* c:[n_rows, n] += a:[n_rows, k] * b:[k, n] */
static void
multiply(float *c, ptrdiff_t c_row, const float *a, const float *b, ptrdiff_t b_row,
		 size_t n_rows, size_t n, size_t k)
{
	if (is_serial)
		pthread_mutex_lock(&one_at_a_time);
	sgemm(ROW_MAJOR, NOT_TRANSPOSED, NOT_TRANSPOSED, (int) n_rows, (int) n, (int) k, 1, a, (int) k,
		  b, (int) b_row, 1, c, (int) c_row);
	if (is_serial)
		pthread_mutex_unlock(&one_at_a_time);
}

/*
 * Loading
 */

/* 64 rows, then each 16 of them alone and at other places, have the same bits. */
static bool
rows_are_equal(void)
{
	enum
	{
		K = BLOCK_TERMS,
		N = 75,
		SHIFT = 5
	};
	float		a[BLOCK_ROWS][K];
	float		b[K * N];
	float		together[BLOCK_ROWS][N];
	float		some[PADDED_ROWS][K];
	float		alone[PADDED_ROWS][N];
	AiRng		rng = {1};

	for (size_t i = 0; i < BLOCK_ROWS * K; i++)
		a[i / K][i % K] = (float) ai_rng_uniform(&rng) - 0.5F;
	for (size_t i = 0; i < K * N; i++)
		b[i] = (float) ai_rng_uniform(&rng) - 0.5F;
	memset(together, 0, sizeof(together));
	multiply(together[0], N, a[0], b, N, BLOCK_ROWS, N, K);
	for (size_t first = 0; first < BLOCK_ROWS; first += PADDED_ROWS)
	{
		for (size_t i = 0; i < PADDED_ROWS; i++)
			memcpy(some[(i + SHIFT) % PADDED_ROWS], a[first + i], sizeof(some[0]));
		memset(alone, 0, sizeof(alone));
		multiply(alone[0], N, some[0], b, N, PADDED_ROWS, N, K);
		for (size_t i = 0; i < PADDED_ROWS; i++)
		{
			if (memcmp(alone[(i + SHIFT) % PADDED_ROWS], together[first + i],
					   sizeof(alone[0])) != 0)
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
		if (rows_are_equal())
			return AI_OK;
	}
	sgemm = NULL;
	dlclose(library);
	return refuse(err, "It is built in a way that does not suit");
}

/*
 * Products
 */

/* What is asked here must not change with the number of rows. */
static bool
suits(const AiGemm *g)
{
	return g->n >= 16 && g->k >= 16 && g->n * g->k >= 4096 &&
		g->b_row >= (ptrdiff_t) g->n && g->b_row <= INT_MAX &&
		g->c_row >= (ptrdiff_t) g->n && g->c_row <= INT_MAX;
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

/* c:[n_padded, n_columns] += the product, of which n_rows are wanted */
static void
add_product(float *c, ptrdiff_t c_row, const AiGemm *g, size_t first_row, size_t n_rows,
			size_t n_padded, size_t first_column, size_t n_columns)
{
	_Alignas(AI_ALIGNMENT) float terms[BLOCK_ROWS * BLOCK_TERMS];
	ptrdiff_t	a_col = g->rows != NULL ? 1 : g->a_col;

	for (size_t t = 0; t < g->n_taps; t++)
	{
		const float *a = g->a + (ptrdiff_t) t * g->a_tap;
		const float *b = g->b + (ptrdiff_t) t * g->b_tap + first_column;

		for (size_t p = 0; p < g->k; p += BLOCK_TERMS)
		{
			size_t		k = g->k - p < BLOCK_TERMS ? g->k - p : BLOCK_TERMS;

			copy_terms(terms, g, a + (ptrdiff_t) p * a_col, first_row, n_rows, n_padded, k);
			multiply(c, c_row, terms, b + (ptrdiff_t) p * g->b_row, g->b_row, n_padded, n_columns,
					 k);
		}
	}
}

/* What the product is added to */
static void
begin_rows(const AiGemm *g, const AiKernels *level, float *c, size_t n_rows, size_t first_column,
		   size_t n_columns)
{
	const float *bias = g->bias != NULL ? g->bias + first_column : NULL;

	for (size_t i = 0; i < n_rows; i++, c += g->c_row)
	{
		if (!g->adds && bias == NULL)
			memset(c, 0, n_columns * sizeof(float));
		else if (!g->adds)
			memcpy(c, bias, n_columns * sizeof(float));
		else if (bias != NULL)
			level->add(c, bias, n_columns);
	}
}

/* Fewer than PADDED_ROWS */
static void
add_padded(float *c, const AiGemm *g, size_t first_row, size_t n_rows, size_t first_column,
		   size_t n_columns)
{
	float		padded[PADDED_ROWS * BLOCK_COLUMNS];

	memset(padded, 0, PADDED_ROWS * n_columns * sizeof(float));
	for (size_t i = 0; i < n_rows; i++)
		memcpy(padded + i * n_columns, c + (ptrdiff_t) i * g->c_row, n_columns * sizeof(float));
	add_product(padded, (ptrdiff_t) n_columns, g, first_row, n_rows, PADDED_ROWS, first_column,
				n_columns);
	for (size_t i = 0; i < n_rows; i++)
		memcpy(c + (ptrdiff_t) i * g->c_row, padded + i * n_columns, n_columns * sizeof(float));
}

static void
compute_columns(const AiGemm *g, const AiKernels *level, size_t first_column, size_t n_columns)
{
	size_t		n_rows;

	for (size_t first = 0; first < g->m; first += n_rows)
	{
		float	   *c = g->c + (ptrdiff_t) first * g->c_row + first_column;
		size_t		whole = (g->m - first) / PADDED_ROWS * PADDED_ROWS;

		n_rows = whole == 0 ? g->m - first : whole < BLOCK_ROWS ? whole : BLOCK_ROWS;
		begin_rows(g, level, c, n_rows, first_column, n_columns);
		if (whole == 0)
			add_padded(c, g, first, n_rows, first_column, n_columns);
		else
			add_product(c, g->c_row, g, first, n_rows, n_rows, first_column, n_columns);
		for (size_t i = 0; i < n_rows && g->act != AI_ACT_LINEAR; i++, c += g->c_row)
			level->activate(c, c, n_columns, g->act);
	}
}

void
ai_openblas_gemm(const AiGemm *g, const AiKernels *level)
{
	if (!suits(g))
	{
		level->gemm(g);
		return;
	}
	for (size_t first = 0; first < g->n; first += BLOCK_COLUMNS)
	{
		size_t		left = g->n - first;

		compute_columns(g, level, first, left < BLOCK_COLUMNS ? left : BLOCK_COLUMNS);
	}
}
