/*-------------------------------------------------------------------------
 * text_features.h
 *		A text as the features that a model knows of it.
 *
 * The features, their order and their values are those of training, so a text
 * scores now as it did when the model was measured.
 *-------------------------------------------------------------------------
 */
#ifndef AI_TEXT_FEATURES_H
#define AI_TEXT_FEATURES_H

#include "core/model/text_model.h"

/* One text's features: those of each AiNgramKind in turn, by first places */
typedef struct AiTextFeatures
{
	size_t		n;
	size_t		n_of[AI_NGRAM_N_KINDS];
	uint32_t   *feature;		/* [n] */
	uint8_t    *times;			/* [n] occurrences, up to 255 as in training */
	uint8_t    *idf_code;		/* [n] */
	float	   *value;			/* [n] */
	AiNgramSpan *span;			/* [n] first places; with spans only */
	uint32_t   *occurrences;	/* [n] all of them; with spans only */
} AiTextFeatures;

typedef struct AiTextReader AiTextReader;

/* known is borrowed.  with_spans: for explaining; slower, since it reads every word anew */
extern AiCode ai_text_reader_create(AiTextReader **reader, const AiTextKnown *known,
									const AiHost *host, bool with_spans, AiError *err);
extern void ai_text_reader_destroy(AiTextReader *reader);

/*
 * The features live in the reader until the next call.  Fails by AI_ERR_NOMEM
 * and AI_ERR_CANCELLED only.
 */
extern AiCode ai_text_reader_read(AiTextReader *reader, const AiTextFeatures **features,
								  const char *text, size_t len, AiError *err);

#endif							/* AI_TEXT_FEATURES_H */
