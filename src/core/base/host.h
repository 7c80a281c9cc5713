/*-------------------------------------------------------------------------
 * host.h
 *		What the core asks of the program around it.
 *
 * Passed in, never global.  All callbacks belong to the main thread and none
 * may longjmp.  The server's host is in pg/host/host.c; ai_malloc_host() is
 * for programs without a server.
 *-------------------------------------------------------------------------
 */
#ifndef AI_HOST_H
#define AI_HOST_H

#include "core/base/status.h"

typedef enum AiLogLevel
{
	AI_LOG_DEBUG,
	AI_LOG_NOTICE,
	AI_LOG_WARNING
} AiLogLevel;

typedef struct AiHost
{
	void	   *(*alloc) (void *ud, size_t size);	/* 64-byte aligned; NULL when out of memory */
	void		(*release) (void *ud, void *ptr);	/* NULL is allowed */
	bool		(*should_stop) (void *ud);	/* reads flags, never throws */
	void		(*log) (void *ud, AiLogLevel level, const char *line);
	void	   *ud;

	/* Of the threads of pools (pool.h); each may be NULL */
	int			(*begin_run) (void *ud, int n_wanted);	/* threads that it may have, 1 or more */
	void		(*end_run) (void *ud);
	void		(*wait) (void *ud, bool begins);	/* until the threads are done */
} AiHost;

#define AI_ALIGNMENT 64

static inline size_t
ai_align_size(size_t size)
{
	return (size + AI_ALIGNMENT - 1) & ~(size_t) (AI_ALIGNMENT - 1);
}

static inline void *
ai_host_alloc(const AiHost *host, size_t size)
{
	return host->alloc(host->ud, size);
}

static inline void
ai_host_release(const AiHost *host, void *ptr)
{
	host->release(host->ud, ptr);
}

static inline bool
ai_host_should_stop(const AiHost *host)
{
	return host->should_stop(host->ud);
}

/* malloc, never stops, logs nowhere */
extern const AiHost *ai_malloc_host(void);

#endif							/* AI_HOST_H */
