/*-------------------------------------------------------------------------
 * network_options.h
 *		The options of training a network: what is the server's, and the rest.
 *
 *	deploy		as of all algorithms
 *	on_bad_row	"error", or "skip": leave rows out that do not fit
 *	base		the model whose weights and words are begun with
 *	validation	where it is a string: a query, whose rows are held out
 *	max_time	seconds or an interval
 *
 * All others are the core's, see core/train/training_options.h.
 *-------------------------------------------------------------------------
 */
#ifndef AIAAS_NETWORK_OPTIONS_H
#define AIAAS_NETWORK_OPTIONS_H

#include "pg/jobs/options.h"

typedef struct AiaasNetworkOptions
{
	AiaasDeploy deploy;
	bool		skips_bad_rows;
	const char *base;			/* reference; NULL: none */
	const char *validation;		/* a query; NULL: a share of the rows */
	double		max_time;		/* seconds; 0: none */
	int			loss;			/* AiLossKind, or AI_LOSS_AUTO, where the name is one */
	const char *core;			/* JSON in UTF-8 */
	size_t		core_len;
} AiaasNetworkOptions;

/* In the current memory context */
extern void aiaas_network_options_parse(AiaasNetworkOptions *options, const Jsonb *given);

/* All options for the version's row, from the core's in JSON */
extern Jsonb *aiaas_network_options_to_jsonb(const AiaasNetworkOptions *options,
											 const char *core, size_t len);

#endif							/* AIAAS_NETWORK_OPTIONS_H */
