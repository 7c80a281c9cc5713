/*-------------------------------------------------------------------------
 * options.h
 *		The options of ai_train(), from jsonb and back.
 *-------------------------------------------------------------------------
 */
#ifndef AIAAS_OPTIONS_H
#define AIAAS_OPTIONS_H

#include "core/model/text_classifier.h"
#include "utils/jsonb.h"

typedef enum AiaasDeploy
{
	AIAAS_DEPLOY_BETTER,		/* if it beats the deployed version */
	AIAAS_DEPLOY_ALWAYS,
	AIAAS_DEPLOY_NEVER
} AiaasDeploy;

typedef struct AiaasTrainOptions
{
	AiTextOptions text;			/* its class weights are in the current memory context */
	AiaasDeploy deploy;

	/*
	 * Embeddings: the rest of what text has to know of the embedder is for the caller to fill in,
	 * and what was chosen comes back to here.
	 */
	bool		has_embedder;
	const char *embedder;		/* NULL: aiaas.default_embedder, and only if it helps */
} AiaasTrainOptions;

/*
 * Defaults where options is silent; errors name the option, its value and its range.  With an
 * embedder the core's trainer has the last word on ranges.
 */
extern void aiaas_options_parse(AiaasTrainOptions *options, const Jsonb *given);

/* All of them, for the version's row */
extern Jsonb *aiaas_options_to_jsonb(const AiaasTrainOptions *options);

/*
 * Options that all algorithms have
 */

/* Raises unless options are an object. */
extern void aiaas_options_require_object(const Jsonb *given);
extern AiaasDeploy aiaas_option_deploy(const char *name, const JsonbValue *value);
extern const char *aiaas_deploy_name(AiaasDeploy deploy);

/* A number of seconds or the text of an interval, within aiaas.max_train_time: seconds */
extern double aiaas_option_max_time(const char *name, const JsonbValue *value);

extern bool aiaas_option_is(const JsonbValue *value, const char *string);

/* Raises that it must be what is expected. */
extern _Noreturn void aiaas_option_reject(const char *name, const JsonbValue *value,
										  const char *expected);

#endif							/* AIAAS_OPTIONS_H */
