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
} AiaasTrainOptions;

/* Defaults where options is silent; errors name the option, its value and its range. */
extern void aiaas_options_parse(AiaasTrainOptions *options, const Jsonb *given);

/* All of them, for the version's row */
extern Jsonb *aiaas_options_to_jsonb(const AiaasTrainOptions *options);

#endif							/* AIAAS_OPTIONS_H */
