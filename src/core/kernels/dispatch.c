/*-------------------------------------------------------------------------
 * dispatch.c
 *		Which level of the kernels runs, and whose products.
 *-------------------------------------------------------------------------
 */
#include "core/kernels/kernels_internal.h"

#include <stdatomic.h>

#include "core/kernels/openblas.h"

static const struct
{
	const char *name;
	const AiKernels *kernels;
}			levels[AI_CPU_N_LEVELS] =
{
#ifdef __x86_64__
	[AI_CPU_PORTABLE] = {"portable", &ai_kernels_portable},
	[AI_CPU_AVX2] = {"avx2", &ai_kernels_avx2},
	[AI_CPU_AVX512] = {"avx512", &ai_kernels_avx512},
#else
	[AI_CPU_PORTABLE] = {"portable", &ai_kernels_portable},
	[AI_CPU_AVX2] = {"avx2", &ai_kernels_portable},
	[AI_CPU_AVX512] = {"avx512", &ai_kernels_portable},
#endif
};

/* -1: the best of the machine, not looked up yet */
static atomic_int selected = -1;

/* NULL: not looked up yet */
static _Atomic(const AiKernels *) current;

static AiBlas blas = AI_BLAS_AUTO;
static AiKernels with_openblas; /* the level's, with other products */

/* __builtin_cpu_supports() also asks whether the system saves the registers. */
AiCpuLevel
ai_kernels_best_level(void)
{
#ifdef __x86_64__
	if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
		__builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
		__builtin_cpu_supports("avx512cd"))
		return AI_CPU_AVX512;
	if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
		return AI_CPU_AVX2;
#endif
	return AI_CPU_PORTABLE;
}

AiCpuLevel
ai_kernels_level(void)
{
	int			level = atomic_load_explicit(&selected, memory_order_relaxed);

	if (level < 0)
	{
		level = ai_kernels_best_level();
		atomic_store(&selected, level);
	}
	return (AiCpuLevel) level;
}

/*
 * Products
 */

static void
gemm_by_openblas(const AiGemm *product)
{
	ai_openblas_gemm(product, levels[ai_kernels_level()].kernels);
}

static bool
wants_openblas(void)
{
	return blas == AI_BLAS_OPENBLAS ||
		(blas == AI_BLAS_AUTO && ai_kernels_best_level() == AI_CPU_PORTABLE);
}

/* The table that level and products ask for */
static const AiKernels *
choose(void)
{
	const AiKernels *kernels = levels[ai_kernels_level()].kernels;

	if (wants_openblas() && ai_openblas_is_loaded())
	{
		with_openblas = *kernels;
		with_openblas.gemm = gemm_by_openblas;
		kernels = &with_openblas;
	}
	atomic_store(&current, kernels);
	return kernels;
}

void
ai_blas_select(AiBlas choice)
{
	blas = choice;
	choose();
}

AiCode
ai_blas_prepare(AiError *err)
{
	static bool has_failed;		/* for good: what is found by itself is not looked for again */

	if (!wants_openblas() || ai_openblas_is_loaded() || (has_failed && blas == AI_BLAS_AUTO))
		return AI_OK;
	if (blas == AI_BLAS_OPENBLAS)
		AI_TRY(ai_openblas_load(err));
	else
		has_failed = ai_openblas_load(NULL) != AI_OK;
	choose();
	return AI_OK;
}

const AiKernels *
ai_kernels(void)
{
	const AiKernels *kernels = atomic_load_explicit(&current, memory_order_acquire);

	return kernels != NULL ? kernels : choose();
}

const char *
ai_cpu_level_name(AiCpuLevel level)
{
	return levels[level].name;
}

AiCode
ai_kernels_select(AiCpuLevel level, AiError *err)
{
	AiCpuLevel	best = ai_kernels_best_level();

	if (level > best)
	{
		ai_fail(err, AI_ERR_PARAM, "this machine cannot run CPU level \"%s\"",
				levels[level].name);
		ai_detail(err, "Its best level is \"%s\".", levels[best].name);
		return AI_ERR_PARAM;
	}
	atomic_store(&selected, (int) level);
	choose();
	return AI_OK;
}
