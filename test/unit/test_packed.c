/*-------------------------------------------------------------------------
 * test_packed.c
 *		Products with packed weights, in every way that this machine has.
 *
 * The truth is a sum in double precision of what the packed numbers are; budgets are those of
 * packed.h and kernels.h.
 *-------------------------------------------------------------------------
 */
#include "dense_arrays.h"

#include "core/base/host.h"
#include "core/kernels/packed.h"

#define GAP 3					/* numbers between rows of y, which nobody may touch */

/* A product; x and w are what its numbers are exactly */
typedef struct Case
{
	AiPacked	weights;
	AiPackedProduct product;
	void	   *block;
	void	   *rows;
	AiRowScale *scales;
	float	   *x;				/* [m, k] */
	float	   *w;				/* [n, k] */
	float	   *bias;
	float	   *residual;
	float	   *y;
} Case;

static void *
make_bytes(size_t size)
{
	void	   *bytes = ai_host_alloc(ai_malloc_host(), size);

	assert_non_null(bytes);
	return bytes;
}

static float
float_of_bf16(uint16_t half)
{
	uint32_t	bits = (uint32_t) half << 16;
	float		x;

	memcpy(&x, &bits, sizeof(x));
	return x;
}

/* x as rows of the precision; x becomes what they are */
static void
make_rows(Case *c, AiPrecision precision, size_t m, size_t k)
{
	size_t		size = ai_packed_row_size(precision, k);
	uint16_t   *halves = c->rows;
	uint8_t    *bytes = c->rows;

	if (precision == AI_PRECISION_FP32)
		memcpy(c->rows, c->x, m * size);
	else if (precision == AI_PRECISION_BF16)
		ai_kernels()->round_rows(halves, size / 2, c->x, k, m, k);
	else
		ai_kernels()->quantise_rows(bytes, size, c->scales, c->x, k, m, k);
	for (size_t i = 0; i < m; i++)
	{
		for (size_t p = 0; p < k && precision == AI_PRECISION_BF16; p++)
			c->x[i * k + p] = float_of_bf16(halves[i * size / 2 + p]);
		for (size_t p = 0; p < k && precision == AI_PRECISION_INT8; p++)
			c->x[i * k + p] = (float) (bytes[i * size + p] - c->scales[i].zero);
	}
}

static Case
make_case(AiRng *rng, AiPrecision precision, size_t m, size_t n, size_t k)
{
	Case		c = {
		.x = make_floats(rng, m * k), .w = make_floats(rng, n * k),
		.bias = make_floats(rng, n), .residual = make_floats(rng, m * (n + 1)),
		.y = make_floats(rng, m * (n + GAP)), .scales = make_bytes((m + 1) * sizeof(AiRowScale)),
		.rows = make_bytes(m * ai_packed_row_size(precision, k))
	};
	size_t		size;

	assert_int_equal(ai_packed_size(&size, precision, n, k, NULL), AI_OK);
	c.block = make_bytes(size);
	ai_pack(c.block, precision, c.w, k, c.bias, n, k);
	c.weights = ai_packed_view(c.block, precision, n, k);
	ai_unpack(c.w, &c.weights);
	make_rows(&c, precision, m, k);
	return c;
}

static void
free_case(Case *c)
{
	free_floats(c->x);
	free_floats(c->w);
	free_floats(c->bias);
	free_floats(c->residual);
	free_floats(c->y);
	ai_host_release(ai_malloc_host(), c->block);
	ai_host_release(ai_malloc_host(), c->rows);
	ai_host_release(ai_malloc_host(), c->scales);
}

static AiPackedProduct
product_of(const Case *c, size_t m, AiActivation act, bool has_residual)
{
	size_t		n = c->weights.n;

	return (AiPackedProduct) {
		.weights = &c->weights, .m = m,
		.x = c->rows, .x_row = ai_packed_row_size(c->weights.precision, c->weights.k),
		.x_scales = c->scales,
		.residual = has_residual ? c->residual : NULL, .residual_row = n + 1,
		.y = c->y, .y_row = n + GAP,
		.act = act
	};
}

static void
check_element(const AiPackedWay *way, const Case *c, const AiPackedProduct *g, size_t i, size_t j)
{
	const AiPacked *w = &c->weights;
	double		scale = w->precision == AI_PRECISION_INT8 ? c->scales[i].scale : 1;
	double		added[2] = {c->bias[j], g->residual != NULL ? g->residual[i * (w->n + 1) + j] : 0};
	double		exact = added[0] + added[1];
	double		sizes = fabs(added[0]) + fabs(added[1]);
	double		budget;
	double		y = g->y[i * g->y_row + j];

	for (size_t p = 0; p < w->k; p++)
	{
		double		term = (double) c->x[i * w->k + p] * scale * c->w[j * w->k + p];

		exact += term;
		sizes += fabs(term);
	}
	budget = ((double) w->k + 4) * 0x1p-24 * sizes;
	if (w->precision == AI_PRECISION_BF16)
		budget = 2 * budget + ((double) w->k + 4) * 0x1p-125;
	if (g->act == AI_ACT_RELU && exact < 0)
		exact = 0;
	if (!(fabs(y - exact) <= budget))
		fail_msg("%s %s: %g instead of %g at %zu, %zu of %zu, %zu; k = %zu, budget %g",
				 ai_precision_name(w->precision), way->name, y, exact, i, j, g->m, w->n, w->k,
				 budget);
}

/* Each row alone, and in other company, has the same bits. */
static void
check_splits(const AiPackedWay *way, const Case *c, const AiPackedProduct *g)
{
	size_t		n = c->weights.n;
	float	   *other = malloc((g->m * n + 1) * sizeof(float));

	assert_non_null(other);
	for (size_t step = 1; step < g->m; step += step < 5 ? 1 : 11)
	{
		for (size_t top = 0; top < g->m; top += step)
		{
			AiPackedProduct part = *g;

			part.m = g->m - top < step ? g->m - top : step;
			part.x = (const char *) g->x + top * g->x_row;
			part.x_scales = g->x_scales + top;
			if (g->residual != NULL)
				part.residual = g->residual + top * g->residual_row;
			part.y = other + top * n;
			part.y_row = n;
			way->product(&part);
		}
		for (size_t i = 0; i < g->m; i++)
			assert_memory_equal(other + i * n, g->y + i * g->y_row, n * sizeof(float));
	}
	free(other);
}

static void
check_gaps(const Case *c, const float *before, size_t m)
{
	size_t		n = c->weights.n;

	for (size_t i = 0; i + 1 < m; i++)
		assert_memory_equal(c->y + i * (n + GAP) + n, before + i * (n + GAP) + n,
							GAP * sizeof(float));
}

/* The bits of the kernel, but with AVX-512 */
static void
check_gelu(const AiPackedWay *way, float x, float y)
{
	double		exact = x == -INFINITY ? 0 : x * 0.5 * erfc(-x / sqrt(2));
	float		kernel;

	ai_kernels()->activate(&kernel, &x, 1, AI_ACT_GELU);
	if (way->level < AI_CPU_AVX512)
		assert_memory_equal(&kernel, &y, sizeof(y));
	if (isnan(x) ? isnan(y) : y == exact)
		return;
	if (!(fabs(y - exact) <= fmax(0x1p-21 * fabs(x), 0x1p-125)))
		fail_msg("%s %s: GELU of %.9g is %.9g, not %.9g", ai_precision_name(way->precision),
				 way->name, x, y, exact);
}

static void
check_case(AiRng *rng, const AiPackedWay *way, size_t m, size_t n, size_t k)
{
	Case		c = make_case(rng, way->precision, m, n, k);
	AiPackedProduct plain = product_of(&c, m, AI_ACT_LINEAR, ai_rng_below(rng, 2) == 0);
	AiPackedProduct relu = product_of(&c, m, AI_ACT_RELU, ai_rng_below(rng, 2) == 0);
	AiPackedProduct gelu = product_of(&c, m, AI_ACT_GELU, false);
	size_t		step = m * n * k > 1000000 ? 37 : 1;
	float	   *before = make_floats(rng, m * (n + GAP));

	memcpy(before, c.y, m * (n + GAP) * sizeof(float));
	for (int i = 0; i < 2; i++)
	{
		const AiPackedProduct *g = i == 0 ? &plain : &relu;

		way->product(g);
		for (size_t e = 0; e < m * n; e += step)
			check_element(way, &c, g, e / n, e % n);
		check_gaps(&c, before, m);
		if (m * n * k < 5000000)
			check_splits(way, &c, g);
	}
	plain.residual = NULL;
	way->product(&plain);
	memcpy(before, c.y, m * (n + GAP) * sizeof(float));
	way->product(&gelu);
	for (size_t i = 0; i < m * n; i++)
	{
		size_t		place = i / n * (n + GAP) + i % n;

		check_gelu(way, before[place], c.y[place]);
	}
	check_gaps(&c, before, m);
	free_floats(before);
	free_case(&c);
}

static void
for_each_way(void (*check) (const AiPackedWay *way))
{
	const AiPackedWay *way;

	ai_kernels_select(ai_kernels_best_level(), NULL);
	for (size_t i = 0; (way = ai_packed_way(i)) != NULL; i++)
	{
		if (ai_packed_way_runs(way))
			check(way);
	}
}

static void
check_sizes(const AiPackedWay *way)
{
	static const size_t rows[] = {1, 2, 3, 5, 6, 7, 15, 16, 17, 31, 33, 65};
	static const size_t columns[] = {1, 3, 15, 16, 17, 63, 64, 65, 130};
	static const size_t terms[] = {1, 2, 3, 4, 5, 31, 32, 33, 63, 65, 100};
	AiRng		rng = {1};

	for (size_t e = 0; e < COUNT(rows) * COUNT(columns); e++)
		check_case(&rng, way, rows[e % COUNT(rows)], columns[e / COUNT(rows)],
				   terms[ai_rng_below(&rng, COUNT(terms))]);
	for (size_t e = 0; e < COUNT(terms); e++)
		check_case(&rng, way, 9, 70, terms[e]);
	check_case(&rng, way, 0, 5, 5);
	check_case(&rng, way, 70, 200, 1536);
	check_case(&rng, way, 600, 66, 385);
}

static void
test_sizes(void **state)
{
	(void) state;
	for_each_way(check_sizes);
}

/* Of sums that are 0, and biases from -12 to 12 and beyond */
static void
check_gelu_everywhere(const AiPackedWay *way)
{
	static const float values[] = {
		NAN, INFINITY, -INFINITY, 3.4e38f, -3.4e38f, 0x1p-149f, -0x1p-126f, 0, -0.0f, 1e5f, -1e5f
	};
	const size_t n = 200001;
	AiRng		rng = {5};
	Case		c = make_case(&rng, way->precision, 1, n, 1);
	float	   *bias = make_bytes(n * sizeof(float));
	AiPackedProduct g = product_of(&c, 1, AI_ACT_GELU, false);

	for (size_t j = 0; j < n; j++)
		bias[j] = j < COUNT(values) ? values[j] : (float) j / (float) n * 24 - 12;
	memset(c.w, 0, n * sizeof(float));
	ai_pack(c.block, way->precision, c.w, 1, bias, n, 1);
	way->product(&g);
	for (size_t j = 0; j < n; j++)
		check_gelu(way, 0 + bias[j], c.y[j]);
	ai_host_release(ai_malloc_host(), bias);
	free_case(&c);
}

static void
test_gelu(void **state)
{
	(void) state;
	for_each_way(check_gelu_everywhere);
}

static const AiPackedWay *
find_way(AiPrecision precision, const char *name)
{
	size_t		i = 0;

	while (ai_packed_way(i)->precision != precision || strcmp(ai_packed_way(i)->name, name) != 0)
		i++;
	return ai_packed_way(i);
}

static void
check_bits_after(const AiPackedWay *way, const AiPackedWay *plainest, AiActivation act)
{
	AiRng		rng = {7};
	Case		c = make_case(&rng, AI_PRECISION_INT8, 37, 150, 333);
	AiPackedProduct g = product_of(&c, 37, act, true);
	float	   *expected = make_bytes(37 * (150 + GAP) * sizeof(float));

	plainest->product(&g);
	memcpy(expected, c.y, (36 * (150 + GAP) + 150) * sizeof(float));
	way->product(&g);
	assert_memory_equal(expected, c.y, (36 * (150 + GAP) + 150) * sizeof(float));
	ai_host_release(ai_malloc_host(), expected);
	free_case(&c);
}

/* int8 has the same bits in every way; after GELU in every way with AVX-512, and in every other. */
static void
check_bits(const AiPackedWay *way)
{
	const char *plainest = way->level < AI_CPU_AVX512 ? "portable" : "avx512";

	if (way->precision != AI_PRECISION_INT8)
		return;
	check_bits_after(way, find_way(AI_PRECISION_INT8, "portable"), AI_ACT_SILU);
	check_bits_after(way, find_way(AI_PRECISION_INT8, plainest), AI_ACT_GELU);
}

/* The largest sums of int8: nothing saturates or overflows. */
static void
check_extremes(const AiPackedWay *way)
{
	const size_t k = AI_PACKED_MAX_K;
	float	   *w = calloc(2 * k, sizeof(float));
	uint8_t    *x = make_bytes(k);
	AiRowScale	scale = {1, 0};
	float		y[2];
	size_t		size;
	void	   *block;
	AiPacked	weights;

	if (way->precision == AI_PRECISION_INT8)
	{
		assert_non_null(w);
		for (size_t p = 0; p < k; p++)
			w[p] = w[k + p] = 127;
		for (size_t p = 0; p < k; p++)
			w[k + p] = -127;
		memset(x, 255, k);
		assert_int_equal(ai_packed_size(&size, way->precision, 2, k, NULL), AI_OK);
		block = make_bytes(size);
		ai_pack(block, way->precision, w, k, NULL, 2, k);
		weights = ai_packed_view(block, way->precision, 2, k);
		way->product(&(AiPackedProduct) {
			.weights = &weights, .m = 1, .x = x, .x_row = k, .x_scales = &scale, .y = y,
			.y_row = 2
		});
		assert_true(y[0] == 255.0f * 127 * 65536);
		assert_true(y[1] == -255.0f * 127 * 65536);
		ai_host_release(ai_malloc_host(), block);
	}
	free(w);
	ai_host_release(ai_malloc_host(), x);
}

static void
test_int8(void **state)
{
	(void) state;
	for_each_way(check_bits);
	for_each_way(check_extremes);
}

/* NaN and infinities come out of NaN and infinities, in their row alone. */
static void
check_not_finite(const AiPackedWay *way)
{
	static const float values[] = {NAN, -NAN, INFINITY, -INFINITY, 0x1p-140f, 3.4e38f};
	AiRng		rng = {3};
	float		before[70];

	for (size_t v = 0; v < COUNT(values); v++)
	{
		Case		c = make_case(&rng, way->precision, 3, 70, 40);
		AiPackedProduct g = product_of(&c, 3, AI_ACT_LINEAR, false);

		way->product(&g);
		memcpy(before, c.y, sizeof(before));
		c.x[1 * 40 + 5] = values[v];
		make_rows(&c, way->precision, 3, 40);
		way->product(&g);
		for (size_t j = 0; j < 70; j++)
		{
			if (way->precision == AI_PRECISION_INT8 && v >= 4)
				break;
			if (v < 4)
				assert_false(isfinite(c.y[70 + GAP + j]));
			else if (v == 4)
				assert_true(isfinite(c.y[70 + GAP + j]));
		}
		if (way->precision != AI_PRECISION_INT8)
			assert_memory_equal(before, c.y, sizeof(before));
		free_case(&c);
	}
}

static void
test_not_finite(void **state)
{
	(void) state;
	for_each_way(check_not_finite);
}

/* Rows of u8: nearest numbers, zeros behind them, 0 exact; the same bits at every level */
static void
check_quantised(void)
{
	static const size_t sizes[] = {1, 2, 3, 15, 16, 17, 31, 33, 100, 385};
	AiRng		rng = {11};

	for (size_t s = 0; s < COUNT(sizes); s++)
	{
		size_t		n = sizes[s];
		float	   *x = make_floats(&rng, 2 * n);
		uint8_t		q[2 * 400];
		AiRowScale	scales[2];

		memset(q, 7, sizeof(q));
		x[0] = 0;
		ai_kernels()->quantise_rows(q, 400, scales, x, n, 2, n);
		for (size_t i = 0; i < 2; i++)
		{
			assert_in_range(scales[i].zero, 0, 255);
			for (size_t p = 0; p < n; p++)
			{
				double		near = (q[400 * i + p] - scales[i].zero) * (double) scales[i].scale;

				if (!(fabs(near - x[i * n + p]) <= 1.001 * scales[i].scale))
					fail_msg("%g instead of %g, scale %g", near, x[i * n + p], scales[i].scale);
			}
			for (size_t p = n; p < 400; p++)
				assert_int_equal(q[400 * i + p], 0);
		}
		assert_int_equal(q[0], scales[0].zero);
		free_floats(x);
	}
}

static void
check_quantised_rows_of(float value, float scale, bool is_nan)
{
	float		x[20];
	uint8_t		q[20];
	AiRowScale	found;

	for (size_t i = 0; i < 20; i++)
		x[i] = i == 13 ? value : 0;
	ai_kernels()->quantise_rows(q, 20, &found, x, 20, 1, 20);
	if (is_nan)
		assert_true(isnan(found.scale));
	else
		assert_true(found.scale == scale);
}

static void
check_quantised_extremes(void)
{
	check_quantised_rows_of(0, 0, false);
	check_quantised_rows_of(-0.0f, 0, false);
	check_quantised_rows_of(0x1p-140f, 0, false);
	check_quantised_rows_of(255, 1, false);
	check_quantised_rows_of(-255, 1, false);
	check_quantised_rows_of(NAN, 0, true);
	check_quantised_rows_of(-NAN, 0, true);
	check_quantised_rows_of(INFINITY, 0, true);
	check_quantised_rows_of(-INFINITY, 0, true);
}

static void
test_quantised(void **state)
{
	(void) state;
	for_each_level(check_quantised);
	for_each_level(check_quantised_extremes);
}

static void
check_rounded(void)
{
	static const struct
	{
		uint32_t	bits;
		uint16_t	half;
	}			cases[] = {
		{0, 0}, {0x80000000, 0x8000}, {0x3f800000, 0x3f80}, {0x3f808000, 0x3f80},
		{0x3f808001, 0x3f81}, {0x3f818000, 0x3f82}, {0x3f817fff, 0x3f81}, {0x7f7fffff, 0x7f80},
		{0x7f800000, 0x7f80}, {0xff800000, 0xff80}, {0x7fc00000, 0x7fc0}, {0x7f800001, 0x7fc0},
		{0xffffffff, 0xffff}, {0x00000001, 0}, {0x00018000, 2}, {0x00400000, 0x0040}
	};
	float		x[COUNT(cases)];
	uint16_t	y[COUNT(cases) + 2];

	for (size_t i = 0; i < COUNT(cases); i++)
		memcpy(&x[i], &cases[i].bits, sizeof(float));
	memset(y, 7, sizeof(y));
	ai_kernels()->round_rows(y, COUNT(cases) + 2, x, COUNT(cases), 1, COUNT(cases));
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_int_equal(y[i], cases[i].half);
	assert_int_equal(y[COUNT(cases)], 0);
	assert_int_equal(y[COUNT(cases) + 1], 0);
}

static void
test_rounded(void **state)
{
	(void) state;
	for_each_level(check_rounded);
}

/* Stored weights are what they were, or the nearest numbers of their precision. */
static void
test_packing(void **state)
{
	AiRng		rng = {5};

	(void) state;
	for (int precision = 0; precision < AI_N_PRECISIONS; precision++)
	{
		float	   *w = make_floats(&rng, 70 * 37);
		float		back[70 * 36];
		size_t		size;
		void	   *block;
		AiPacked	packed;

		assert_int_equal(ai_packed_size(&size, (AiPrecision) precision, 70, 36, NULL), AI_OK);
		block = make_bytes(size);
		ai_pack(block, (AiPrecision) precision, w, 37, NULL, 70, 36);
		packed = ai_packed_view(block, (AiPrecision) precision, 70, 36);
		ai_unpack(back, &packed);
		for (size_t j = 0; j < 70; j++)
		{
			float		greatest = 0;

			for (size_t p = 0; p < 36; p++)
				greatest = fmaxf(greatest, fabsf(w[j * 37 + p]));
			for (size_t p = 0; p < 36; p++)
			{
				float		size_of = fabsf(w[j * 37 + p]);
				float		budget = precision == AI_PRECISION_FP32 ? 0 :
					precision == AI_PRECISION_BF16 ? size_of * 0x1p-8f : greatest * 0.501f / 127;

				assert_true(fabsf(back[j * 36 + p] - w[j * 37 + p]) <= budget);
			}
		}
		ai_host_release(ai_malloc_host(), block);
		free_floats(w);
	}
}

static void
test_limits(void **state)
{
	size_t		size;
	AiError		err;

	(void) state;
	assert_int_equal(ai_packed_size(&size, AI_PRECISION_INT8, 1, 0, &err), AI_ERR_LIMIT);
	assert_int_equal(ai_packed_size(&size, AI_PRECISION_INT8, 0, 1, &err), AI_ERR_LIMIT);
	assert_int_equal(ai_packed_size(&size, AI_PRECISION_INT8, 1, AI_PACKED_MAX_K + 1, &err),
					 AI_ERR_LIMIT);
	assert_int_equal(ai_packed_size(&size, AI_PRECISION_INT8, SIZE_MAX, 1, &err), AI_ERR_LIMIT);
	assert_string_equal(ai_precision_name(AI_PRECISION_BF16), "bf16");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_packing),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_rounded),
		cmocka_unit_test(test_quantised),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_gelu),
		cmocka_unit_test(test_int8),
		cmocka_unit_test(test_not_finite),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
