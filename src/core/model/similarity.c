/*-------------------------------------------------------------------------
 * similarity.c
 *		How near two embeddings are, and zero-shot classification by it.
 *-------------------------------------------------------------------------
 */
#include "core/model/similarity.h"

#include <math.h>

double
ai_cosine(const float *x, const float *y, size_t n)
{
	const AiKernels *kernels = ai_kernels();
	double		lengths = sqrt(kernels->sum_squares(x, n)) * sqrt(kernels->sum_squares(y, n));
	double		cosine = kernels->dot(x, y, n) / lengths;

	if (lengths == 0)
		return 0;
	return cosine > 1 ? 1 : cosine < -1 ? -1 : cosine;
}

bool
ai_zero_shot_reads_pairs(const AiEncoder *encoder)
{
	return ai_encoder_find_entailment(encoder) >= 0;
}

bool
ai_zero_shot_can(const AiEncoder *encoder)
{
	return ai_encoder_shape(encoder)->answer == AI_ANSWER_EMBEDDING ||
		ai_zero_shot_reads_pairs(encoder);
}

/* x:[n] becomes their shares */
static void
softmax(double *x, int n)
{
	double		most = x[0];
	double		sum = 0;

	for (int i = 1; i < n; i++)
		most = x[i] > most ? x[i] : most;
	for (int i = 0; i < n; i++)
	{
		x[i] = exp(x[i] - most);
		sum += x[i];
	}
	for (int i = 0; i < n; i++)
		x[i] /= sum;
}

/* Of a single label: does the text imply it, or contradict it? */
static double
entailed(const AiEncoder *encoder, const float *answer)
{
	int			entailment = ai_encoder_find_entailment(encoder);
	int			contradiction = entailment == 0 ? ai_encoder_n_labels(encoder) - 1 : 0;

	return 1 / (1 + exp((double) answer[contradiction] - answer[entailment]));
}

void
ai_zero_shot_scores(double *probability, const AiEncoder *encoder, const float *text,
					const float *const *answer, int n)
{
	int			entailment = ai_encoder_find_entailment(encoder);

	if (entailment >= 0 && n == 1)
	{
		probability[0] = entailed(encoder, answer[0]);
		return;
	}
	for (int i = 0; i < n; i++)
		probability[i] = entailment >= 0 ? answer[i][entailment] :
			AI_ZERO_SHOT_SCALE * ai_cosine(text, answer[i], ai_encoder_n_outputs(encoder));
	softmax(probability, n);
}
