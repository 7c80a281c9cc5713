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
#include "pg/engine/input.h"
#include "pg/engine/resolved.h"
#include "pg/stats/stats.h"

typedef struct AiaasCall AiaasCall;

/* The call's state with the model ready, kept in fn_extra */
extern AiaasCall *aiaas_call_begin(FunctionCallInfo fcinfo, const AiaasModelArg *model);

extern AiaasEngine *aiaas_call_engine(const AiaasCall *call);

/* The same if that has been done in this statement, for whichever reference; else NULL */
extern AiaasCall *aiaas_call_find(FunctionCallInfo fcinfo);

/*
 * A call like that for the arguments in fcinfo, of a row that nobody has asked for yet, and
 * the type of its input as in aiaas_call_input().  NULL where one of these would raise; only
 * that a stored model cannot be read is raised here, too.
 */
extern AiaasCall *aiaas_call_try_begin(FunctionCallInfo fcinfo, const AiaasModelArg *model,
									   Oid type);

/* Does this reference mean the same model?  NULL: the setting does. */
extern bool aiaas_call_is_for(const AiaasCall *call, const AiaasModelArg *model,
							  const NullableDatum *reference);

/*
 * Around what a function does with the model; an error between them counts as one of the
 * function's.  function is a literal, counts are what was done but for the call itself,
 * which is added.
 */
extern void aiaas_call_start_work(const AiaasCall *call, const char *function);
extern void aiaas_call_end_work(AiaasCall *call, const char *function, AiaasCounts *counts);

/*
 * Argument 0 as the model reads it, see input.h.  type is InvalidOid where any will do: then
 * the call knows its own.  False: it is NULL.
 */
extern bool aiaas_call_input(AiaasCall *call, FunctionCallInfo fcinfo, Oid type,
							 const void **bytes, size_t *len);

/* Any text that the call is given, of type text; read as above */
extern void aiaas_call_text(AiaasCall *call, Datum value, const char **utf8, size_t *len);

/*
 * What a model has answered to the text that was remembered last: many calls have one text for
 * all rows.  NULL: it was another text, or another model.  n: numbers of the answer
 */
extern const float *aiaas_call_recall(const AiaasCall *call, const void *utf8, size_t len);
extern void aiaas_call_remember(AiaasCall *call, const void *utf8, size_t len,
								const float *answer, size_t n);

/* The index of the label that a text argument names; raises when there is none. */
extern int	aiaas_call_label(AiaasCall *call, FunctionCallInfo fcinfo, int label_arg);

/* Of the layer; the model is a network. */
extern int	aiaas_call_layer(AiaasCall *call, FunctionCallInfo fcinfo, int layer_arg);

/* What one of these has returned last for this model, or -1 */
extern int	aiaas_call_named(const AiaasCall *call);

/* The same for values that nobody has asked for yet; numbers are -1 where that would raise */
extern AiaasReading aiaas_call_try_input(const AiaasCall *call, Datum value,
										 const void **bytes, size_t *len);
extern int	aiaas_call_try_label(const AiaasCall *call, Datum value);
extern int	aiaas_call_try_layer(const AiaasCall *call, Datum value);

#endif							/* AIAAS_CALL_H */
