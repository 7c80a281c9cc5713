/*-------------------------------------------------------------------------
 * call.h
 *		What one call of an SQL function remembers from row to row.
 *
 * The version that a reference means is looked up once per statement, with the
 * active snapshot.  fn_extra may outlive a statement (plpgsql keeps simple
 * expressions for a transaction), so the answer is kept together with what it
 * depended on: transaction, snapshot, user and reference.  The usual row only
 * compares these.
 *-------------------------------------------------------------------------
 */
#ifndef AIAAS_CALL_H
#define AIAAS_CALL_H

#include "fmgr.h"

#include "pg/engine/engine.h"
#include "pg/engine/resolved.h"

typedef struct AiaasCall AiaasCall;

/*
 * The call's state with the model ready, kept in fn_extra.  model_arg is the
 * number of the argument that names the model; where the function has fewer
 * arguments, aiaas.default_classifier does.
 */
extern AiaasCall *aiaas_call_begin(FunctionCallInfo fcinfo, int model_arg,
								   AiaasCallMode mode);

extern AiaasEngine *aiaas_call_engine(const AiaasCall *call);

/*
 * Argument 0 as UTF-8: a text, or of any type that can be read as one, or a
 * row with the column that the model was trained on.  The bytes live as long
 * as the argument or the current memory context.  False: it is NULL.
 */
extern void aiaas_call_text(FunctionCallInfo fcinfo, const char **utf8, size_t *len);
extern bool aiaas_call_any(AiaasCall *call, FunctionCallInfo fcinfo,
						   const char **utf8, size_t *len);

/* The index of the label that a text argument names; raises when there is none. */
extern int	aiaas_call_label(AiaasCall *call, FunctionCallInfo fcinfo, int label_arg);

#endif							/* AIAAS_CALL_H */
