/*-------------------------------------------------------------------------
 * vectors.h
 *		The compiler's vectors, as long as those of the level.
 *
 * For loops in which sums have to stay in registers.  What is done is done to each number alone, so
 * that all levels give the same bits.
 *-------------------------------------------------------------------------
 */
#ifndef AI_LOOPS_VECTORS_H
#define AI_LOOPS_VECTORS_H

#include <stdint.h>
#include <string.h>

#if defined(__AVX512F__)
#define VECTOR_BYTES 64
#elif defined(__AVX2__)
#define VECTOR_BYTES 32
#else
#define VECTOR_BYTES 16
#endif

#define N_FLOATS (VECTOR_BYTES / sizeof(float))
#define N_DOUBLES (VECTOR_BYTES / sizeof(double))

typedef float Floats __attribute__((vector_size(VECTOR_BYTES)));
typedef int32_t Integers __attribute__((vector_size(VECTOR_BYTES)));
typedef double Doubles __attribute__((vector_size(VECTOR_BYTES)));
typedef float HalfFloats __attribute__((vector_size(VECTOR_BYTES / 2)));	/* as many as Doubles */

#define LOAD(vector, from) memcpy(&(vector), from, sizeof(vector))
#define STORE(to, vector) memcpy(to, &(vector), sizeof(vector))

#endif							/* AI_LOOPS_VECTORS_H */
