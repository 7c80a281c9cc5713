/*-------------------------------------------------------------------------
 * cores.c
 *		How many cores this process may use.
 *
 * In a container that may be fewer than the machine has, in two ways: certain
 * cores, which the scheduler tells, or so much time of all, which is a file.
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "pg/host/cores.h"

#include <math.h>
#include <sched.h>
#include <unistd.h>

#define TIME_LIMIT_FILE "/sys/fs/cgroup/cpu.max"	/* of cgroups, version 2 */

/* What the scheduler allows; with more cores than the set holds, what there are */
static int
count_allowed(void)
{
#ifdef CPU_COUNT
	cpu_set_t	set;

	if (sched_getaffinity(0, sizeof(set), &set) == 0)
		return CPU_COUNT(&set);
#endif
	return (int) sysconf(_SC_NPROCESSORS_ONLN);
}

/* "200000 100000": two cores' time; "max 100000": no limit */
static int
limit_by_time(int n_cores)
{
	FILE	   *file = fopen(TIME_LIMIT_FILE, "r");
	double		quota;
	double		period;

	if (file == NULL)
		return n_cores;
	if (fscanf(file, "%lf %lf", &quota, &period) == 2 && quota > 0 && period > 0 &&
		quota < n_cores * period)
		n_cores = (int) ceil(quota / period);
	fclose(file);
	return n_cores;
}

int
aiaas_n_cores(void)
{
	static int	n_cores = 0;

	if (n_cores == 0)
		n_cores = Max(1, limit_by_time(count_allowed()));
	return n_cores;
}
