/*-------------------------------------------------------------------------
 * raise.h
 *		From the core's error values to the server's ereport.
 *-------------------------------------------------------------------------
 */
#ifndef AIAAS_RAISE_H
#define AIAAS_RAISE_H

#include "core/base/status.h"

/*
 * Raise err, whose texts are UTF-8, as an ERROR with the SQLSTATE of its code.
 * Texts that the database's encoding cannot hold get question marks.
 *
 * For AI_ERR_CANCELLED the server words the reason itself: a cancel, a time-out or a lost
 * client.  An error that a callback of the host has met is raised in the place of err.
 */
extern _Noreturn void aiaas_raise(const AiError *err);

/* Usage: AIAAS_CHECK(ai_something(..., &err), &err) */
#define AIAAS_CHECK(call, err) \
	do { \
		if ((call) != AI_OK) \
			aiaas_raise(err); \
	} while (0)

#endif							/* AIAAS_RAISE_H */
