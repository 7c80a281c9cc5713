/*-------------------------------------------------------------------------
 * packed_internal.h
 *		The ways of packed products, and what several of them need.
 *-------------------------------------------------------------------------
 */
#ifndef AI_PACKED_INTERNAL_H
#define AI_PACKED_INTERNAL_H

#include <string.h>

#include "core/kernels/packed.h"

extern void ai_packed_fp32_ref(const AiPackedProduct *product);
extern void ai_packed_bf16_ref(const AiPackedProduct *product);
extern void ai_packed_int8_ref(const AiPackedProduct *product);
#ifdef __x86_64__
extern void ai_packed_fp32_avx2(const AiPackedProduct *product);
extern void ai_packed_bf16_avx2(const AiPackedProduct *product);
extern void ai_packed_int8_avx2(const AiPackedProduct *product);
extern void ai_packed_vnni_avx2(const AiPackedProduct *product);
extern void ai_packed_fp32_avx512(const AiPackedProduct *product);
extern void ai_packed_bf16_avx512(const AiPackedProduct *product);
extern void ai_packed_int8_avx512(const AiPackedProduct *product);
extern void ai_packed_dpbf16_avx512(const AiPackedProduct *product);
extern void ai_packed_vnni_avx512(const AiPackedProduct *product);
extern void ai_packed_bf16_amx_avx512(const AiPackedProduct *product);
extern void ai_packed_int8_amx_avx512(const AiPackedProduct *product);

/* GELU of rows of n numbers, y_row and x_row numbers from row to row */
extern void ai_gelu_rows_avx512(float *y, size_t y_row, const float *x, size_t x_row,
								size_t n_rows, size_t n);

/* What processors have beside their level, and the system lets us use */
extern bool ai_cpu_has_avx_vnni(void);
extern bool ai_cpu_has_vnni(void);
extern bool ai_cpu_has_bf16(void);
extern bool ai_cpu_has_amx(void);
#endif

static inline float
ai_float_of_bf16(uint16_t half)
{
	uint32_t	bits = (uint32_t) half << 16;
	float		x;

	memcpy(&x, &bits, sizeof(x));
	return x;
}

#endif							/* AI_PACKED_INTERNAL_H */
