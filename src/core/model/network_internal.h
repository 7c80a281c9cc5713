/*-------------------------------------------------------------------------
 * network_internal.h
 *		An open network, for the files that open and apply it.
 *-------------------------------------------------------------------------
 */
#ifndef AI_NETWORK_INTERNAL_H
#define AI_NETWORK_INTERNAL_H

#include "core/format/aim.h"
#include "core/model/network.h"

struct AiNetwork
{
	AiArena		arena;
	AiDefinition definition;
	AiGraph		graph;
	AiAimStrings labels;
	AiNetworkParts parts;
	int64_t		n_tokens;		/* numbers that the input may hold, from 0 on; 0: any numbers */
};

#endif							/* AI_NETWORK_INTERNAL_H */
