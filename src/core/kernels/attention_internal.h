/*-------------------------------------------------------------------------
 * attention_internal.h
 *		The ways to compute attention.
 *-------------------------------------------------------------------------
 */
#ifndef AI_ATTENTION_INTERNAL_H
#define AI_ATTENTION_INTERNAL_H

#include "core/kernels/attention.h"
#include "core/kernels/packed_internal.h"

#ifdef __x86_64__

/* 32 bits of a query at most, where a way keeps them at fixed places */
#define AI_ATTENTION_MOST_WORDS 128

extern size_t ai_attention_fp32_avx512_scratch(size_t n_tokens, size_t d);
extern void ai_attention_fp32_avx512(const AiAttention *attention);
extern size_t ai_attention_dpbf16_avx512_scratch(size_t n_tokens, size_t d);
extern void ai_attention_dpbf16_avx512(const AiAttention *attention);
extern size_t ai_attention_amx_scratch(size_t n_tokens, size_t d);
extern void ai_attention_amx(const AiAttention *attention);
#endif

#endif							/* AI_ATTENTION_INTERNAL_H */
