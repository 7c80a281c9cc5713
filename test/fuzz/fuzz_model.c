/*-------------------------------------------------------------------------
 * fuzz_model.c
 *		Any bytes are refused as a text classifier, or used within their bounds.
 *
 * The corpus begins with models that training wrote:
 *
 *	build/core/test_text_classifier --write-models test/fuzz/corpus/fuzz_model
 *	build/core/test_text_embedding --write-models test/fuzz/corpus/fuzz_model
 *
 * The block is allocated in its exact size, so that one byte too far is seen.
 *-------------------------------------------------------------------------
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/model/text_classifier.h"

extern int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Read everything that a model says of itself; the sum keeps the reads alive. */
static size_t
walk(const AiTextClassifier *model)
{
	size_t		sum = 0;
	size_t		len;

	for (int k = 0; k < ai_text_classifier_n_labels(model); k++)
	{
		const char *label = ai_text_classifier_label(model, k, &len);

		for (size_t i = 0; i < len; i++)
			sum += (unsigned char) label[i];
	}
	for (int64_t i = 0; i < ai_text_classifier_n_importances(model); i++)
	{
		AiTextImportance item = ai_text_classifier_importance(model, i);

		for (size_t b = 0; b < item.feature_len; b++)
			sum += (unsigned char) item.feature[b];
		sum += strlen(item.kind);
	}
	return sum;
}

/* Numbers of a block that was not looked through may be any. */
static void
use(const AiTextClassifier *model, bool is_checked)
{
	static const char text[] = "Topic0x1 common3, common5, topic2x4 Caf\xc3\xa9 123";
	int			n_labels = ai_text_classifier_n_labels(model);
	double	   *probability = malloc((size_t) n_labels * sizeof(double));
	AiTextScratch *scratch;
	const AiTextContribution *items;
	int64_t		n_items;
	double		sum = 0;
	int			best;
	int			n_dense;
	float	   *embedding;

	(void) ai_text_classifier_embedder(model, &n_dense);
	embedding = malloc((size_t) (n_dense + 1) * sizeof(float));
	for (int i = 0; i <= n_dense; i++)
		embedding[i] = (float) (i % 7) - 3;
	if (ai_text_scratch_create(&scratch, model, ai_malloc_host(), NULL) != AI_OK ||
		ai_text_classifier_run(model, scratch, probability, &best, text, sizeof(text) - 1,
							   embedding, NULL) != AI_OK ||
		ai_text_classifier_explain(model, scratch, &items, &n_items, best, text,
								   sizeof(text) - 1, embedding, NULL) != AI_OK)
		abort();
	for (int k = 0; k < n_labels; k++)
		sum += probability[k];
	if ((is_checked && !(fabs(sum - 1) < 1e-9)) || best < 0 || best >= n_labels)
		abort();
	ai_text_scratch_destroy(scratch);
	free(probability);
	free(embedding);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AiTextClassifier *model;
	void	   *block;
	AiError		err;

	if (posix_memalign(&block, AI_ALIGNMENT, size > 0 ? size : 1) != 0)
		return 0;
	if (size > 0)
		memcpy(block, data, size);
	if (ai_text_classifier_open(&model, ai_malloc_host(), block, size, &err) == AI_OK)
	{
		walk(model);
		use(model, true);
		ai_text_classifier_close(model);
	}
	if (ai_text_classifier_open_checked(&model, ai_malloc_host(), block, size, &err) == AI_OK)
	{
		walk(model);
		use(model, false);
		ai_text_classifier_close(model);
	}
	free(block);
	return 0;
}
