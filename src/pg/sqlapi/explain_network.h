/*-------------------------------------------------------------------------
 * explain_network.h
 *		ai_explain of networks.
 *-------------------------------------------------------------------------
 */
#ifndef AIAAS_EXPLAIN_NETWORK_H
#define AIAAS_EXPLAIN_NETWORK_H

#include "fmgr.h"

#include "pg/engine/call.h"
#include "pg/host/rows.h"

/* The call's model is a network; bytes are its input.  Argument 2, if there is one, is a label. */
extern void aiaas_explain_network(AiaasRows *rows, AiaasCall *call, FunctionCallInfo fcinfo,
								  const void *bytes, size_t len);

#endif							/* AIAAS_EXPLAIN_NETWORK_H */
