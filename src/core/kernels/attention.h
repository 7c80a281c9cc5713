/*-------------------------------------------------------------------------
 * attention.h
 *		Attention of one head over one text.
 *
 *	y[i] = sum over j of w[i, j] * v[j]
 *	w[i] = softmax over j of (sum over p of q[i, p] * k[j, p]) * scale + by_distance[j - i]
 *
 * i and j run over the tokens of the text and nothing else: there is no mask, and the answer
 * depends on the text alone.  In fp32 an answer is within
 *
 *	(2 * (d + 4) * 2^-24 * S + (n_tokens + 16) * 2^-23) * V
 *
 * of the exact one, S being the greatest sum of the sizes that a score consists of, V the greatest
 * size of v.  Where bf16 is allowed, the machine has instructions for it and d is a multiple of 32,
 * q, k, v and w are rounded to bf16 before they are multiplied: (3 * 2^-8 * S + 2^-7) * V is added.
 * Elsewhere bf16 is computed as fp32.
 *-------------------------------------------------------------------------
 */
#ifndef AI_ATTENTION_H
#define AI_ATTENTION_H

#include "core/kernels/packed.h"

typedef struct AiAttention
{
	AiPrecision precision;		/* fp32; all others allow bf16 */
	size_t		n_tokens;		/* 1 or more */
	size_t		d;				/* numbers of a head */
	const float *q;
	const float *k;
	const float *v;
	size_t		row;			/* numbers from token to token, in all three */
	float		scale;
	const float *by_distance;	/* at -(n_tokens - 1) to n_tokens - 1; NULL: none */
	float	   *y;
	size_t		y_row;
	void	   *scratch;		/* ai_attention_scratch() bytes, at a multiple of 64 */
} AiAttention;

extern size_t ai_attention_scratch(size_t n_tokens, size_t d);

extern void ai_attention(const AiAttention *attention);

/* The ways to compute it, from the plainest on; for tests */
typedef struct AiAttentionWay
{
	const char *name;
	AiPrecision precision;		/* bf16: where it is allowed */
	AiCpuLevel	level;
	bool		(*is_there) (void); /* what it needs beside the level; NULL: nothing */
	size_t		multiple;		/* d is one of this */
	size_t		most;			/* and at most this */
	size_t		(*scratch) (size_t n_tokens, size_t d);
	void		(*attend) (const AiAttention *attention);
} AiAttentionWay;

/* NULL: there are no more than i; also of other machines, see the next function */
extern const AiAttentionWay *ai_attention_way(size_t i);

/* Can it run this, at the selected level? */
extern bool ai_attention_way_takes(const AiAttentionWay *way, const AiAttention *attention);

#endif							/* AI_ATTENTION_H */
