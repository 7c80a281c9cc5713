/*-------------------------------------------------------------------------
 * network_build.h
 *		From a definition, rows and perhaps another network to a graph with its first weights.
 *-------------------------------------------------------------------------
 */
#ifndef AI_NETWORK_BUILD_H
#define AI_NETWORK_BUILD_H

#include "core/train/network_head.h"
#include "core/train/network_rows.h"

typedef struct AiNetworkBuild
{
	AiArena    *arena;			/* borrowed */
	const AiTrainingOptions *options;	/* likewise */
	const AiNetwork *base;		/* likewise; NULL: none */
	AiDefinition definition;	/* as given, but what words and the head change */
	AiGraph		graph;
	AiNetworkHead head;
	float	   *weights;
	float	   *states;
} AiNetworkBuild;

/* The definition of the options, or of the base; "freeze" has been done. */
extern AiCode ai_network_build_read(AiNetworkBuild *build, AiError *err);

/*
 * The shape of a sample of n_inputs numbers, as the options, the definition or the number itself
 * say.  AI_ERR_PARAM: they differ.
 */
extern AiCode ai_network_build_shape(const AiNetworkBuild *build, AiShape *shape,
									 const AiNetworkFormat *format, AiError *err);

/*
 * Do the shapes of all layers fit?  n_words: of texts, any number.  *n_tokens: as
 * ai_network_n_tokens() has it.
 */
extern AiCode ai_network_build_check(const AiNetworkBuild *build, const AiNetworkFormat *format,
									 size_t n_words, int64_t *n_tokens, AiError *err);

/* Words that the options and every embedding have room for */
extern size_t ai_network_build_max_words(const AiNetworkBuild *build);

/* When all rows are there: graph, head, weights and states as they are before the first step */
extern AiCode ai_network_build_finish(AiNetworkBuild *build, AiNetworkRows *rows, size_t n_words,
									  const AiHost *host, AiError *err);

#endif							/* AI_NETWORK_BUILD_H */
