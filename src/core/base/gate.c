/*-------------------------------------------------------------------------
 * gate.c
 *		How many threads a process may compute with, beside others that compute.
 *
 * Who wants more than one thread writes down how many he means to take, and then
 * looks at what all have written; if that is too much, he takes less and looks
 * again.  Of two that do so at once, the one that wrote last sees both.
 *-------------------------------------------------------------------------
 */
#include "core/base/gate.h"

#include <stdatomic.h>
#include <time.h>

/* Between two pieces of work a process does other things, and wants its share after them. */
#define STAYS_FOR 50			/* milliseconds */

/* claim: process << 32 | threads wanted << 16 | threads that compute */
struct AiGatePlace
{
	atomic_uint_least64_t claim;
	atomic_uint_least64_t left; /* when it computed last */
};

#define MAX_THREADS 0xFFFF

static uint64_t
make_claim(uint32_t process, int n_wanted, int n_threads)
{
	return (uint64_t) process << 32 | (uint64_t) n_wanted << 16 | (uint64_t) n_threads;
}

static int
n_wanted_of(uint64_t claim)
{
	return (int) (claim >> 16 & MAX_THREADS);
}

static int
n_threads_of(uint64_t claim)
{
	return (int) (claim & MAX_THREADS);
}

static uint64_t
milliseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t) now.tv_sec * 1000 + (uint64_t) now.tv_nsec / 1000000;
}

size_t
ai_gate_size(int n_places)
{
	return (size_t) n_places * sizeof(AiGatePlace);
}

/* The claim of a process that lives, or 0 */
static uint64_t
claim_of(const AiGate *gate, int place)
{
	uint64_t	claim = atomic_load(&gate->places[place].claim);

	return claim != 0 && gate->is_alive(place, (uint32_t) (claim >> 32)) ? claim : 0;
}

static int
count_others(const AiGate *gate, int place)
{
	int			n = 0;

	for (int i = 0; i < gate->n_places; i++)
	{
		if (i != place)
			n += n_threads_of(claim_of(gate, i));
	}
	return n;
}

/*
 * Cores that are left when each of the others gets what he wants, but no more than
 * n_each; what cannot be shared evenly is for who comes first.
 */
static int
count_left(const AiGate *gate, int place, int n_each, int n_cores)
{
	uint64_t	now = milliseconds();

	for (int i = 0; i < gate->n_places; i++)
	{
		uint64_t	claim = i == place ? 0 : claim_of(gate, i);
		int			n = n_wanted_of(claim);

		if (n_threads_of(claim) == 0 && now - atomic_load(&gate->places[i].left) > STAYS_FOR)
			continue;
		n_cores -= n < n_each ? n : n_each;
	}
	return n_cores;
}

static int
fair_share(const AiGate *gate, int place, int n_wanted, int n_cores)
{
	int			n = 1;

	/* One more, as long as there is a core for it when all others have as many as we now */
	while (n < n_wanted && count_left(gate, place, n, n_cores) > n)
		n++;
	return n;
}

int
ai_gate_enter(const AiGate *gate, int place, uint32_t process, int n_wanted, int n_cores)
{
	AiGatePlace *mine = &gate->places[place];
	int			n;

	n_wanted = n_wanted < MAX_THREADS ? n_wanted : MAX_THREADS;
	n_wanted = n_wanted < n_cores ? n_wanted : n_cores;
	n_wanted = n_wanted > 1 ? n_wanted : 1;
	n = n_wanted > 1 ? fair_share(gate, place, n_wanted, n_cores) : 1;
	atomic_store(&mine->claim, make_claim(process, n_wanted, n));
	while (n > 1)
	{
		int			n_free = n_cores - count_others(gate, place);

		if (n <= n_free)
			break;
		n = n_free > 1 ? n_free : 1;
		atomic_store(&mine->claim, make_claim(process, n_wanted, n));
	}
	return n;
}

void
ai_gate_leave(const AiGate *gate, int place)
{
	AiGatePlace *mine = &gate->places[place];
	uint64_t	claim = atomic_load_explicit(&mine->claim, memory_order_relaxed);

	atomic_store_explicit(&mine->left, milliseconds(), memory_order_relaxed);
	atomic_store_explicit(&mine->claim, claim & ~(uint64_t) MAX_THREADS, memory_order_release);
}

void
ai_gate_clear(const AiGate *gate, int place)
{
	atomic_store(&gate->places[place].claim, 0);
}

int
ai_gate_n_threads(const AiGate *gate, int place)
{
	return n_threads_of(claim_of(gate, place));
}
