/*-------------------------------------------------------------------------
 * gather.h
 *		The rows of a batch that one run of a model can answer.
 *
 * They are those with the same model and request as the first whose input can be read
 * without an error.  The others are left as they are: when their turn comes each is the first
 * itself, and then raises what it has to.
 *-------------------------------------------------------------------------
 */
#ifndef AIAAS_GATHER_H
#define AIAAS_GATHER_H

#include "core/model/inputs.h"
#include "pg/engine/answer.h"
#include "pg/engine/call.h"
#include "pg/engine/verb.h"

/* A function, and what its arguments say */
typedef struct AiaasSignature
{
	const char *function;		/* a literal */
	AiaasAnswer answer;
	Oid			type;			/* of the input; InvalidOid: the call knows it */
	int			name_arg;		/* names a label, or a layer where numbers are asked for; 0: none */
	int			truncate_arg;	/* whether longer inputs may be truncated; 0: they may */
	AiaasModelArg model;
} AiaasSignature;

/*
 * The call with its model ready, by the arguments of row first, which fcinfo has from then on.
 * NULL: first is -1 and the model is not known yet.  type as in aiaas_call_input()
 */
extern AiaasCall *aiaas_batch_begin(const AiaasModelArg *model, Oid type, FunctionCallInfo fcinfo,
									const AiaasBatch *batch, int first);

typedef struct AiaasGatheredRow
{
	int			row;			/* of the batch */
	int			label;			/* that is asked for */
} AiaasGatheredRow;

typedef struct AiaasGathered
{
	int			n;
	Size		n_bytes;		/* of the inputs */
	AiRequest	request;		/* of all rows */
	AiInput    *inputs;			/* [n]; their bytes live in the current memory context */
	AiaasGatheredRow *rows;		/* [n] */
	AiInput		one_input;		/* the arrays of a single row */
	AiaasGatheredRow one_row;
} AiaasGathered;

/*
 * As aiaas_batch_begin(); the call's work has begun (call.h).  NULL also where the model does not
 * give such answers and first is -1.
 *
 * Row first comes first, unless its input is NULL: such rows are done here.  What rows
 * take is bound by aiaas.max_batch_memory: their inputs and their answers.
 */
extern AiaasCall *aiaas_gather(AiaasGathered *gathered, const AiaasSignature *signature,
							   FunctionCallInfo fcinfo, AiaasBatch *batch, int first);

#endif							/* AIAAS_GATHER_H */
