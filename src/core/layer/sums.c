/*-------------------------------------------------------------------------
 * sums.c
 *		Activations behind products.
 *-------------------------------------------------------------------------
 */
#include "core/layer/sums.h"

void
ai_sums_product(const AiPass *pass, const AiGemm *product, AiActivation act, float *saved)
{
	AiGemm		it = *product;
	const AiKernels *kernels = ai_kernels();

	if (ai_sums_are_fused(act))
	{
		it.act = act;
		ai_product(pass, &it);
		return;
	}
	it.act = AI_ACT_LINEAR;
	if (saved != NULL)
	{
		it.c = saved;
		it.c_row = (ptrdiff_t) it.n;
	}
	ai_product(pass, &it);
	if (act == AI_ACT_SOFTMAX)
		kernels->softmax(product->c, it.c, it.m, it.n);
	else
		kernels->activate(product->c, it.c, it.m * it.n, act);
}

const float *
ai_sums_back(float *d_sums, const float *d_output, const float *saved, const float *output,
			 size_t n_rows, size_t n, AiActivation act)
{
	if (act == AI_ACT_LINEAR)
		return d_output;
	if (act == AI_ACT_SOFTMAX)
		ai_kernels()->softmax_back(d_sums, d_output, output, n_rows, n);
	else
		ai_kernels()->activate_back(d_sums, d_output, saved, output, n_rows * n, act);
	return d_sums;
}
