/*-------------------------------------------------------------------------
 * test_dense_rows.c
 *		Sums, normalisation, recurrent cells and updates, against double precision.
 *
 * The budgets are those of kernels.h.
 *-------------------------------------------------------------------------
 */
#include "dense_arrays.h"

static const size_t sizes[] = {0, 1, 3, 8, 10, 15, 16, 17, 31, 33, 64, 100, 127};

static void
check_close(double result, double exact, double budget)
{
	if (!(fabs(result - exact) <= budget))
		fail_msg("%s: %.9g instead of %.9g, budget %g",
				 ai_cpu_level_name(ai_kernels_level()), result, exact, budget);
}

static float *
copy_floats(AiRng *rng, const float *x, size_t n)
{
	float	   *copy = make_floats(rng, n);

	memcpy(copy, x, n * sizeof(float));
	return copy;
}

static void
check_sums_of(AiRng *rng, size_t n_rows, size_t n)
{
	float	   *x = make_floats(rng, n_rows * n);
	float	   *sum = make_floats(rng, n);
	float	   *before = copy_floats(rng, sum, n);
	double		squares = 0;

	ai_kernels()->add_rows(sum, x, n_rows, n);
	for (size_t j = 0; j < n; j++)
	{
		double		exact = before[j];
		double		terms = fabsf(before[j]);

		for (size_t i = 0; i < n_rows; i++)
		{
			exact += x[i * n + j];
			terms += fabsf(x[i * n + j]);
		}
		check_close(sum[j], exact, ((double) n_rows + 2) * 0x1p-24 * terms);
	}
	memcpy(sum, before, n * sizeof(float));
	if (n_rows > 0)
		ai_kernels()->add(sum, x, n);
	for (size_t j = 0; j < n && n_rows > 0; j++)
		assert_true(sum[j] == before[j] + x[j]);
	if (n_rows > 0)
		ai_kernels()->sum_arrays(sum, x, n, n_rows, n);
	for (size_t j = 0; j < n && n_rows > 0; j++)
	{
		float		total = x[j];

		for (size_t i = 1; i < n_rows; i++)
			total += x[i * n + j];
		assert_true(sum[j] == total);
	}
	ai_kernels()->scale(sum, before, n, 0.5f, -3);
	for (size_t j = 0; j < n; j++)
		assert_true(sum[j] == before[j] * 0.5f - 3);
	for (size_t i = 0; i < n_rows * n; i++)
		squares += (double) x[i] * x[i];
	ai_kernels()->pixels(sum, (const uint8_t *) before, n);
	for (size_t j = 0; j < n; j++)
		assert_true(sum[j] == ((const uint8_t *) before)[j] / 255.0f);
	check_close(ai_kernels()->sum_squares(x, n_rows * n), squares, 1e-13 * squares);
	free_floats(x);
	free_floats(sum);
	free_floats(before);
}

static void
check_sums(void)
{
	AiRng		rng = {1};

	for (size_t s = 0; s < COUNT(sizes); s++)
	{
		check_sums_of(&rng, 0, sizes[s]);
		check_sums_of(&rng, 1, sizes[s]);
		check_sums_of(&rng, 13, sizes[s]);
	}
}

static void
test_sums(void **state)
{
	(void) state;
	for_each_level(check_sums);
}

static void
check_softmax_back_of(AiRng *rng, size_t n_rows, size_t n)
{
	float	   *y = make_floats(rng, n_rows * n);
	float	   *dy = make_floats(rng, n_rows * n);
	float	   *dx = make_floats(rng, n_rows * n);

	ai_kernels()->softmax(y, y, n_rows, n);
	ai_kernels()->softmax_back(dx, dy, y, n_rows, n);
	for (size_t r = 0; r < n_rows; r++)
	{
		double		sum = 0;
		double		terms = 0;

		for (size_t i = r * n; i < (r + 1) * n; i++)
		{
			sum += (double) dy[i] * y[i];
			terms += fabs((double) dy[i] * y[i]);
		}
		for (size_t i = r * n; i < (r + 1) * n; i++)
			check_close(dx[i], y[i] * (dy[i] - sum),
						y[i] * (((double) n + 2) * terms + 2 * fabs(dy[i])) * 0x1p-24);
	}
	ai_kernels()->softmax_back(dy, dy, y, n_rows, n);
	assert_memory_equal(dy, dx, n_rows * n * sizeof(float));
	free_floats(y);
	free_floats(dy);
	free_floats(dx);
}

static void
check_layer_norm_of(AiRng *rng, size_t n_rows, size_t n)
{
	const double epsilon = 1e-3;
	double		slack = ((double) n + 8) * 0x1p-24;
	float	   *x = make_floats(rng, n_rows * n);
	float	   *gamma = make_floats(rng, n);
	float	   *beta = make_floats(rng, n);
	float	   *y = make_floats(rng, n_rows * n);
	float	   *norm = make_floats(rng, n_rows * n);
	float	   *inverse = make_floats(rng, n_rows);
	float	   *again = make_floats(rng, n_rows * n);

	ai_kernels()->layer_norm(y, norm, inverse, x, gamma, beta, n_rows, n, (float) epsilon);
	for (size_t r = 0; r < n_rows; r++)
	{
		double		mean = 0;
		double		size = 0;
		double		variance = 0;

		for (size_t i = r * n; i < (r + 1) * n; i++)
		{
			mean += x[i] / (double) n;
			size += fabsf(x[i]) / (double) n;
		}
		for (size_t i = r * n; i < (r + 1) * n; i++)
			variance += (x[i] - mean) * (x[i] - mean) / (double) n;
		check_close(inverse[r], 1 / sqrt(variance + epsilon), slack * inverse[r]);
		for (size_t i = r * n; i < (r + 1) * n; i++)
		{
			double		exact = (x[i] - mean) / sqrt(variance + epsilon);
			double		budget = slack * (fabs(exact) + (size + fabs(x[i])) * inverse[r]);

			check_close(norm[i], exact, budget);
			check_close(y[i], exact * gamma[i - r * n] + beta[i - r * n],
						budget * fabsf(gamma[i - r * n]) + slack * fabsf(beta[i - r * n]));
		}
	}
	ai_kernels()->layer_norm(again, NULL, NULL, x, gamma, beta, n_rows, n, (float) epsilon);
	assert_memory_equal(again, y, n_rows * n * sizeof(float));
	free_floats(x);
	free_floats(gamma);
	free_floats(beta);
	free_floats(y);
	free_floats(norm);
	free_floats(inverse);
	free_floats(again);
}

static void
check_layer_norm_back_of(AiRng *rng, size_t n_rows, size_t n)
{
	float	   *dy = make_floats(rng, n_rows * n);
	float	   *norm = make_floats(rng, n_rows * n);
	float	   *inverse = make_floats(rng, n_rows);
	float	   *gamma = make_floats(rng, n);
	float	   *d_gamma = make_floats(rng, n);
	float	   *d_beta = make_floats(rng, n);
	float	   *before = copy_floats(rng, d_gamma, n);
	float	   *dx = make_floats(rng, n_rows * n);

	ai_kernels()->layer_norm_back(dx, d_gamma, d_beta, dy, norm, inverse, gamma, n_rows, n);
	for (size_t r = 0; r < n_rows; r++)
	{
		double		mean = 0;
		double		slope = 0;
		double		terms = 0;

		for (size_t j = 0; j < n; j++)
		{
			double		e = (double) dy[r * n + j] * gamma[j];

			mean += e / (double) n;
			slope += e * norm[r * n + j] / (double) n;
			terms += fabs(e) * (1 + fabsf(norm[r * n + j]));
		}
		for (size_t j = 0; j < n; j++)
		{
			double		e = (double) dy[r * n + j] * gamma[j];
			double		sizes_of = fabs(e) + terms * (1 + fabsf(norm[r * n + j]));

			check_close(dx[r * n + j], inverse[r] * (e - mean - norm[r * n + j] * slope),
						fabsf(inverse[r]) * sizes_of * ((double) n + 8) * 0x1p-24);
		}
	}
	for (size_t j = 0; j < n; j++)
	{
		double		exact = before[j];
		double		terms = fabsf(before[j]);

		for (size_t r = 0; r < n_rows; r++)
		{
			exact += (double) dy[r * n + j] * norm[r * n + j];
			terms += fabs((double) dy[r * n + j] * norm[r * n + j]);
		}
		check_close(d_gamma[j], exact, ((double) n_rows + 2) * 0x1p-24 * terms);
	}
	free_floats(dy);
	free_floats(norm);
	free_floats(inverse);
	free_floats(gamma);
	free_floats(d_gamma);
	free_floats(d_beta);
	free_floats(before);
	free_floats(dx);
}

static void
check_norms(void)
{
	AiRng		rng = {2};

	for (size_t s = 1; s < COUNT(sizes); s++)
	{
		for (size_t n_rows = 0; n_rows <= 5; n_rows += 5)
		{
			check_softmax_back_of(&rng, n_rows, sizes[s]);
			check_layer_norm_of(&rng, n_rows, sizes[s]);
			check_layer_norm_back_of(&rng, n_rows, sizes[s]);
		}
	}
}

static void
test_norms(void **state)
{
	(void) state;
	for_each_level(check_norms);
}

static double
sigmoid(double x)
{
	return 1 / (1 + exp(-x));
}

#define CELL_BUDGET 0x1p-20		/* times the sizes of what is added */

static void
check_lstm_of(AiRng *rng, size_t n_rows, size_t n)
{
	size_t		n_units = n_rows * n;
	float	   *gates = make_floats(rng, 4 * n_units);
	float	   *sums = copy_floats(rng, gates, 4 * n_units);
	float	   *c = make_floats(rng, n_units);
	float	   *c_new = make_floats(rng, n_units);
	float	   *h_new = make_floats(rng, n_units);
	float	   *dh = make_floats(rng, n_units);
	float	   *dc = make_floats(rng, n_units);
	float	   *dc_before = copy_floats(rng, dc, n_units);
	float	   *d_gates = make_floats(rng, 4 * n_units);

	ai_kernels()->lstm_cell(gates, c_new, h_new, c, n_rows, n);
	ai_kernels()->lstm_cell_back(d_gates, dc, dh, gates, c, c_new, n_rows, n);
	for (size_t u = 0; u < n_units; u++)
	{
		size_t		at = u / n * 4 * n + u % n;
		double		i = sigmoid(sums[at]);
		double		f = sigmoid(sums[at + n]);
		double		g = tanh(sums[at + 2 * n]);
		double		o = sigmoid(sums[at + 3 * n]);
		double		t = tanh(f * c[u] + i * g);
		double		d = dc_before[u] + dh[u] * o * (1 - t * t);
		double		size = fabs(dc_before[u]) + fabs(dh[u]);

		check_close(gates[at], i, CELL_BUDGET);
		check_close(gates[at + n], f, CELL_BUDGET);
		check_close(gates[at + 2 * n], g, CELL_BUDGET);
		check_close(gates[at + 3 * n], o, CELL_BUDGET);
		check_close(c_new[u], f * c[u] + i * g, CELL_BUDGET * (fabsf(c[u]) + 1));
		check_close(h_new[u], o * t, CELL_BUDGET * (fabsf(c[u]) + 1));
		size *= 1 + fabsf(c[u]);
		check_close(d_gates[at], d * g * i * (1 - i), CELL_BUDGET * size);
		check_close(d_gates[at + n], d * c[u] * f * (1 - f),
					CELL_BUDGET * size * (1 + fabsf(c[u])));
		check_close(d_gates[at + 2 * n], d * i * (1 - g * g), CELL_BUDGET * size);
		check_close(d_gates[at + 3 * n], dh[u] * t * o * (1 - o), CELL_BUDGET * size);
		check_close(dc[u], d * f, CELL_BUDGET * size);
	}
	free_floats(gates);
	free_floats(sums);
	free_floats(c);
	free_floats(c_new);
	free_floats(h_new);
	free_floats(dh);
	free_floats(dc);
	free_floats(dc_before);
	free_floats(d_gates);
}

static void
check_gru_of(AiRng *rng, size_t n_rows, size_t n)
{
	size_t		n_units = n_rows * n;
	float	   *gates = make_floats(rng, 3 * n_units);
	float	   *sums = copy_floats(rng, gates, 3 * n_units);
	float	   *inner = make_floats(rng, 3 * n_units);
	float	   *h = make_floats(rng, n_units);
	float	   *h_new = make_floats(rng, n_units);
	float	   *dh = make_floats(rng, n_units);
	float	   *dh_before = copy_floats(rng, dh, n_units);
	float	   *d_gates = make_floats(rng, 3 * n_units);
	float	   *d_inner = make_floats(rng, 3 * n_units);

	ai_kernels()->gru_cell(gates, h_new, inner, h, n_rows, n);
	ai_kernels()->gru_cell_back(d_gates, d_inner, dh, gates, inner, h, n_rows, n);
	for (size_t u = 0; u < n_units; u++)
	{
		size_t		at = u / n * 3 * n + u % n;
		double		of_h = inner[at + 2 * n];
		double		z = sigmoid((double) sums[at] + inner[at]);
		double		r = sigmoid((double) sums[at + n] + inner[at + n]);
		double		g = tanh(sums[at + 2 * n] + r * of_h);
		double		d = dh_before[u];
		double		d_g = d * (1 - z) * (1 - g * g);
		double		slack = CELL_BUDGET * (1 + fabs(of_h) + fabsf(sums[at + 2 * n]) + fabsf(h[u]));
		double		slack_back = slack * (1 + fabs(of_h)) * (1 + fabs(d));

		check_close(gates[at], z, slack + CELL_BUDGET * fabsf(inner[at]));
		check_close(gates[at + n], r, slack + CELL_BUDGET * fabsf(inner[at + n]));
		check_close(gates[at + 2 * n], g, slack);
		check_close(h_new[u], z * h[u] + (1 - z) * g, 4 * slack);
		check_close(d_gates[at], d * (h[u] - g) * z * (1 - z), 4 * slack_back);
		check_close(d_gates[at + n], d_g * of_h * r * (1 - r), 4 * slack_back);
		check_close(d_gates[at + 2 * n], d_g, 4 * slack_back);
		assert_memory_equal(d_inner + at, d_gates + at, sizeof(float));
		assert_memory_equal(d_inner + at + n, d_gates + at + n, sizeof(float));
		check_close(d_inner[at + 2 * n], d_g * r, 4 * slack_back);
		check_close(dh[u], d * z, 4 * slack_back);
	}
	free_floats(gates);
	free_floats(sums);
	free_floats(inner);
	free_floats(h);
	free_floats(h_new);
	free_floats(dh);
	free_floats(dh_before);
	free_floats(d_gates);
	free_floats(d_inner);
}

static void
check_cells(void)
{
	AiRng		rng = {3};

	for (size_t s = 0; s < COUNT(sizes); s++)
	{
		for (size_t n_rows = 0; n_rows <= 3; n_rows++)
		{
			check_lstm_of(&rng, n_rows, sizes[s]);
			check_gru_of(&rng, n_rows, sizes[s]);
		}
	}
}

static void
test_cells(void **state)
{
	(void) state;
	for_each_level(check_cells);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sums),
		cmocka_unit_test(test_norms),
		cmocka_unit_test(test_cells),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
