/*-------------------------------------------------------------------------
 * sum.h
 *		Sums that are rounded about once, however many numbers they have.
 *-------------------------------------------------------------------------
 */
#ifndef AI_SUM_H
#define AI_SUM_H

#include <math.h>

/* Neumaier's sum: lost is what the roundings of total have left out. */
typedef struct AiSum
{
	double		total;
	double		lost;
} AiSum;

static inline void
ai_sum_add(AiSum *sum, double value)
{
	double		total = sum->total + value;

	if (fabs(sum->total) >= fabs(value))
		sum->lost += (sum->total - total) + value;
	else
		sum->lost += (value - total) + sum->total;
	sum->total = total;
}

static inline double
ai_sum_value(const AiSum *sum)
{
	return sum->total + sum->lost;
}

#endif							/* AI_SUM_H */
