/*-------------------------------------------------------------------------
 * cpu_features.c
 *		What processors have beside their level, for packed products.
 *-------------------------------------------------------------------------
 */
#include "core/kernels/packed_internal.h"

#include <cpuid.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <unistd.h>

bool
ai_cpu_has_vnni(void)
{
	return __builtin_cpu_supports("avx512vnni");
}

bool
ai_cpu_has_bf16(void)
{
	return __builtin_cpu_supports("avx512bf16");
}

/* Some compilers do not know its name; the system saves the registers as those of AVX2 */
bool
ai_cpu_has_avx_vnni(void)
{
	unsigned int eax;
	unsigned int ebx;
	unsigned int ecx;
	unsigned int edx;

	return __get_cpuid_count(7, 1, &eax, &ebx, &ecx, &edx) && (eax & (1 << 4)) != 0;
}

/*
 * bf16, tiles and int8 of AMX, beside which stands BF16 of AVX-512.  The system allows tiles to a
 * process that asks, and says no if it cannot.
 */
static bool
may_use_amx(void)
{
	const unsigned int bits = 1 << 22 | 1 << 24 | 1 << 25;
#ifdef __linux__
	const long	request_permission = 0x1023;
	const long	tile_data = 18;
	unsigned int eax;
	unsigned int ebx;
	unsigned int ecx;
	unsigned int edx;

	return __get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) && (edx & bits) == bits &&
		ai_cpu_has_bf16() && syscall(SYS_arch_prctl, request_permission, tile_data) == 0;
#else
	(void) bits;
	return false;
#endif
}

bool
ai_cpu_has_amx(void)
{
	static atomic_int answer;	/* 0: not asked yet; 1: no; 2: yes */
	int			known = atomic_load(&answer);

	if (known == 0)
	{
		known = may_use_amx() ? 2 : 1;
		atomic_store(&answer, known);
	}
	return known == 2;
}
