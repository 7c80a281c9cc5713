/*-------------------------------------------------------------------------
 * status.h
 *		Errors as values: a code that is returned and an error that is filled.
 *
 * Every function of the core that can fail returns AiCode and describes the
 * failure in the caller's AiError, in PostgreSQL's message style, where the
 * fact is known.  Nothing in the core throws, prints or exits.
 *-------------------------------------------------------------------------
 */
#ifndef AI_STATUS_H
#define AI_STATUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum AiCode
{
	AI_OK = 0,
	AI_ERR_PARAM,				/* a parameter is out of its range */
	AI_ERR_SHAPE,				/* sizes that do not fit together */
	AI_ERR_DATA,				/* the caller's rows cannot be used */
	AI_ERR_FORMAT,				/* bytes from outside that do not parse */
	AI_ERR_CORRUPT,				/* bytes that we stored and find damaged */
	AI_ERR_UNSUPPORTED,			/* valid, but not built */
	AI_ERR_LIMIT,				/* a configured or built-in limit */
	AI_ERR_NOMEM,
	AI_ERR_DIVERGED,			/* training left the finite numbers */
	AI_ERR_CANCELLED,			/* the host asked to stop */
	AI_ERR_BUG					/* cannot happen */
} AiCode;

typedef struct AiError
{
	AiCode		code;
	char		message[512];	/* one line, lower case, no full stop */
	char		detail[512];	/* full sentences, or empty */
	char		hint[512];		/* what to do, or empty */
} AiError;

/*
 * Fill err and return code.  Text that does not fit is cut at a character's
 * border.  err may be NULL when only the code matters.
 */
extern AiCode ai_fail(AiError *err, AiCode code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
extern void ai_detail(AiError *err, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
extern void ai_hint(AiError *err, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
extern AiCode ai_out_of_memory(AiError *err, size_t size, const char *what);

#define AI_TRY(call) \
	do \
	{ \
		AiCode		ai_code_ = (call); \
		if (ai_code_ != AI_OK) \
			return ai_code_; \
	} while (0)

/*
 * A claim about our own code, never about input: checked in assert builds,
 * absent from others, and never an abort() inside a server.
 */
#ifdef AI_ASSERT_CHECKING
#include <assert.h>
#define AI_ASSERT(claim) assert(claim)
#else
#define AI_ASSERT(claim) ((void) 0)
#endif

/* *product = a * b; false when that does not fit.  Sizes come from files. */
static inline bool
ai_mul_size(size_t *product, size_t a, size_t b)
{
	return !__builtin_mul_overflow(a, b, product);
}

static inline bool
ai_add_size(size_t *sum, size_t a, size_t b)
{
	return !__builtin_add_overflow(a, b, sum);
}

#endif							/* AI_STATUS_H */
