/*-------------------------------------------------------------------------
 * core_packed.c
 *		How fast products with packed weights are, in every way that this machine has.
 *
 * usage: bench_core_packed [MILLISECONDS [NAME]]
 *
 * Prints 10^9 operations per second on one thread, a multiplication and its addition being two, for
 * the shapes of encoders of 384 and of 768 numbers: the fastest of many runs within the time that
 * each product gets (30 milliseconds).
 * OpenBLAS stands beside them, if it can be loaded.
 *-------------------------------------------------------------------------
 */
#include "core/kernels/packed.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/base/host.h"
#include "core/base/rng.h"

typedef void (*Sgemm) (int order, int transpose_a, int transpose_b, int m, int n, int k,
					   float alpha, const float *a, int lda, const float *b, int ldb,
					   float beta, float *c, int ldc);

/* Arrays of a shape for the most rows */
typedef struct Arrays
{
	size_t		n;
	size_t		k;
	float	   *x;
	float	   *w;
	float	   *bias;
	float	   *y;
	void	   *rows[AI_N_PRECISIONS];
	AiRowScale *scales;
	void	   *blocks[AI_N_PRECISIONS];
	AiPacked	packed[AI_N_PRECISIONS];
} Arrays;

static const size_t counts[] = {1, 8, 32, 128, 512};

#define N_COUNTS (sizeof(counts) / sizeof(counts[0]))
#define MOST_ROWS 512

static double least_seconds = 0.03;
static const char *only;		/* NULL: all */

static void *
allocate(size_t size)
{
	void	   *memory = ai_host_alloc(ai_malloc_host(), size);

	if (memory == NULL)
		exit(1);
	return memory;
}

static double
seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double) t.tv_sec + 1e-9 * (double) t.tv_nsec;
}

static float *
random_floats(AiRng *rng, size_t n)
{
	float	   *x = allocate(n * sizeof(float));

	for (size_t i = 0; i < n; i++)
		x[i] = (float) (ai_rng_uniform(rng) - 0.5);
	return x;
}

static Arrays
make_arrays(size_t n, size_t k)
{
	AiRng		rng = {1};
	Arrays		a = {
		.n = n, .k = k,
		.x = random_floats(&rng, MOST_ROWS * k), .w = random_floats(&rng, n * k),
		.bias = random_floats(&rng, n), .y = allocate(MOST_ROWS * n * sizeof(float)),
		.scales = allocate(MOST_ROWS * sizeof(AiRowScale))
	};

	for (int p = 0; p < AI_N_PRECISIONS; p++)
	{
		size_t		row = ai_packed_row_size((AiPrecision) p, k);
		size_t		size;

		if (ai_packed_size(&size, (AiPrecision) p, n, k, NULL) != AI_OK)
			exit(1);
		a.blocks[p] = allocate(size);
		ai_pack(a.blocks[p], (AiPrecision) p, a.w, k, a.bias, n, k);
		a.packed[p] = ai_packed_view(a.blocks[p], (AiPrecision) p, n, k);
		a.rows[p] = allocate(MOST_ROWS * row);
	}
	memcpy(a.rows[0], a.x, MOST_ROWS * k * sizeof(float));
	ai_kernels()->round_rows(a.rows[1], ai_packed_row_size(AI_PRECISION_BF16, k) / 2, a.x, k,
							 MOST_ROWS, k);
	ai_kernels()->quantise_rows(a.rows[2], ai_packed_row_size(AI_PRECISION_INT8, k), a.scales, a.x,
								k, MOST_ROWS, k);
	return a;
}

static void
free_arrays(Arrays *a)
{
	const AiHost *host = ai_malloc_host();

	for (int p = 0; p < AI_N_PRECISIONS; p++)
	{
		ai_host_release(host, a->blocks[p]);
		ai_host_release(host, a->rows[p]);
	}
	ai_host_release(host, a->x);
	ai_host_release(host, a->w);
	ai_host_release(host, a->bias);
	ai_host_release(host, a->y);
	ai_host_release(host, a->scales);
}

/* One product, by a way or by OpenBLAS */
static void
multiply(const Arrays *a, const AiPackedWay *way, Sgemm sgemm, size_t m)
{
	int			n = (int) a->n;
	int			k = (int) a->k;

	if (way == NULL)
		sgemm(101, 111, 112, (int) m, n, k, 1, a->x, k, a->w, k, 0, a->y, n);
	else
		way->product(&(AiPackedProduct) {
			.weights = &a->packed[way->precision], .m = m,
			.x = a->rows[way->precision], .x_row = ai_packed_row_size(way->precision, a->k),
			.x_scales = a->scales, .y = a->y, .y_row = a->n
		});
}

static double
fastest(const Arrays *a, const AiPackedWay *way, Sgemm sgemm, size_t m)
{
	double		begin = seconds();
	double		best = 1;
	double		now = begin;

	for (int i = 0; i < 4 || now - begin < least_seconds; i++)
	{
		double		before = now;

		multiply(a, way, sgemm, m);
		now = seconds();
		if (i > 0 && now - before < best)
			best = now - before;
	}
	return best;
}

static void
print_way(const Arrays *a, const AiPackedWay *way, Sgemm sgemm)
{
	const char *precision = way == NULL ? "fp32" : ai_precision_name(way->precision);
	const char *name = way == NULL ? "OpenBLAS" : way->name;

	if (only != NULL && strcmp(only, precision) != 0 && strcmp(only, name) != 0)
		return;
	printf("%5zux%-5zu %-5s %-12s", a->k, a->n, precision, name);
	for (size_t c = 0; c < N_COUNTS; c++)
		printf("%8.1f", 2e-9 * (double) (counts[c] * a->n * a->k) /
			   fastest(a, way, sgemm, counts[c]));
	printf("\n");
	fflush(stdout);
}

static Sgemm
load_openblas(void)
{
	void	   *library;

	setenv("OPENBLAS_NUM_THREADS", "1", 1);
	unsetenv("OPENBLAS_CORETYPE");
	unsetenv("OPENBLAS_L2_SIZE");
	library = dlopen("libopenblas.so.0", RTLD_NOW | RTLD_LOCAL);
	return library == NULL ? NULL : (Sgemm) dlsym(library, "cblas_sgemm");
}

int
main(int argc, char **argv)
{
	static const size_t shapes[][2] = {	/* n, k */
		{384, 384}, {1152, 384}, {1536, 384}, {384, 1536},
		{768, 768}, {2304, 768}, {3072, 768}, {768, 3072}
	};
	Sgemm		sgemm = load_openblas();

	if (argc > 1)
		least_seconds = atof(argv[1]) / 1000;
	if (argc > 2)
		only = argv[2];
	printf("%-11s %-5s %-12s", "k x n", "", "rows:");
	for (size_t c = 0; c < N_COUNTS; c++)
		printf("%8zu", counts[c]);
	printf("\n");
	for (size_t s = 0; s < sizeof(shapes) / sizeof(shapes[0]); s++)
	{
		Arrays		a = make_arrays(shapes[s][0], shapes[s][1]);
		const AiPackedWay *way;

		if (sgemm != NULL)
			print_way(&a, NULL, sgemm);
		for (int p = 0; p < AI_N_PRECISIONS; p++)
		{
			for (size_t i = 0; (way = ai_packed_way(i)) != NULL; i++)
			{
				if ((int) way->precision == p && ai_packed_way_runs(way) &&
					(way->level > AI_CPU_PORTABLE || ai_kernels_best_level() == AI_CPU_PORTABLE))
					print_way(&a, way, NULL);
			}
		}
		free_arrays(&a);
	}
	return 0;
}
