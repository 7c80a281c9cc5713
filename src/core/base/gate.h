/*-------------------------------------------------------------------------
 * gate.h
 *		How many threads a process may compute with, beside others that compute.
 *
 * Each process has a place of its own in shared memory, which it alone writes;
 * a place whose process is gone counts for nothing.  The first thread of a
 * process always computes.  Further ones do only while all together are no more
 * than the cores; what there is is shared evenly among those who ask, so
 * whoever comes last gets his share when the others ask again.
 *-------------------------------------------------------------------------
 */
#ifndef AI_GATE_H
#define AI_GATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct AiGatePlace AiGatePlace;

typedef struct AiGate
{
	AiGatePlace *places;		/* [n_places], in shared memory */
	int			n_places;
	bool		(*is_alive) (int place, uint32_t process);
} AiGate;

/* Bytes of the places; zeros are places of nobody. */
extern size_t ai_gate_size(int n_places);

/*
 * Before a short piece of work: the threads that may do it, 1 to n_wanted.
 * process is not 0.
 */
extern int	ai_gate_enter(const AiGate *gate, int place, uint32_t process, int n_wanted,
						  int n_cores);

/* After it; whoever comes back soon still has his share. */
extern void ai_gate_leave(const AiGate *gate, int place);

/* For good */
extern void ai_gate_clear(const AiGate *gate, int place);

/* Threads that compute in a place, 0 of a process that is gone */
extern int	ai_gate_n_threads(const AiGate *gate, int place);

#endif							/* AI_GATE_H */
