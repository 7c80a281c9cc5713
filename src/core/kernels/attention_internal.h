/*-------------------------------------------------------------------------
 * attention_internal.h
 *		The ways to compute attention.
 *-------------------------------------------------------------------------
 */
#ifndef AI_ATTENTION_INTERNAL_H
#define AI_ATTENTION_INTERNAL_H

#include "core/kernels/attention.h"
#include "core/kernels/packed_internal.h"

extern void ai_attention_fp32(const AiAttention *attention);

#ifdef __x86_64__

/* Multiples of 32 are what tiles of bf16 hold */
static inline bool
ai_attention_amx_takes(size_t d)
{
	return d % 32 == 0 && ai_kernels_level() == AI_CPU_AVX512 && ai_cpu_has_amx();
}

extern size_t ai_attention_amx_scratch(size_t n_tokens, size_t d);
extern void ai_attention_amx(const AiAttention *attention);
#endif

#endif							/* AI_ATTENTION_INTERNAL_H */
