/*-------------------------------------------------------------------------
 * texts.h
 *		Calls that give an encoder several texts each: those of all rows of a batch run together.
 *
 * As in gather.h, rows that might raise an error wait until they are first themselves.
 *-------------------------------------------------------------------------
 */
#ifndef AIAAS_TEXTS_H
#define AIAAS_TEXTS_H

#include "core/model/inputs.h"
#include "pg/engine/call.h"
#include "pg/engine/verb.h"

/* A row, and its inputs: those from first on */
typedef struct AiaasTextsRow
{
	int			row;			/* of the batch */
	int			first;
	int			n;
	const void *own;			/* what read() keeps for make() */
} AiaasTextsRow;

typedef struct AiaasTexts
{
	const AiaasBatch *batch;
	AiaasCall  *call;
	const AiEncoder *encoder;
	AiRequest	request;
	const float *known;			/* answer to the text that the call remembers, once it came up */
	Size		n_bytes;		/* of the inputs */
	int			n_inputs;
	int			max_inputs;
	AiInput    *inputs;			/* [n_inputs]; their bytes live in the current memory context */
	int			n_rows;
	AiaasTextsRow *rows;		/* [n_rows] */
} AiaasTexts;

typedef struct AiaasTextsVerb
{
	const char *function;		/* a literal */
	AiaasModelArg model;

	/* Can the encoder do this?  NULL: it embeds. */
	bool		(*can) (const AiEncoder *encoder);
	const char *needs;			/* what it has to be, to follow "is not " */

	/* What is asked of it; NULL: nothing special */
	void		(*ask) (AiRequest *request, const AiEncoder *encoder);

	bool		remembers;		/* the last text's answer, for aiaas_call_recall() */

	/* Add the inputs of a row by aiaas_texts_add(); false: one of others might raise an error */
	bool		(*read) (AiaasTexts *texts, AiaasTextsRow *row, bool is_first);

	/*
	 * The row's result, in the current memory context.  False: there is none, and reject() raises
	 * why; NULL: there always is one.
	 */
	bool		(*make) (const AiaasTexts *texts, const AiaasTextsRow *row, Datum *result);
	void		(*reject) (const AiaasTexts *texts, const AiaasTextsRow *row);
} AiaasTextsVerb;

/* AiaasVerb.run and size of such a verb, and the call of its function */
extern void aiaas_texts_run(const AiaasTextsVerb *verb, FunctionCallInfo fcinfo,
							AiaasBatch *batch, int first);
extern void aiaas_texts_size(FunctionCallInfo fcinfo, AiaasBatchSize *size);
extern Datum aiaas_texts_call(const AiaasTextsVerb *verb, FunctionCallInfo fcinfo);

/* A text argument as UTF-8; false: it is not the first row's, and to read it might raise. */
extern bool aiaas_texts_read(const AiaasTexts *texts, int row, int arg, bool is_first,
							 const char **utf8, size_t *len);

extern void aiaas_texts_add(AiaasTexts *texts, const void *bytes, size_t len);

/* What the encoder answered to input i of a row */
extern const float *aiaas_texts_answer(const AiaasTexts *texts, const AiaasTextsRow *row, int i);

/* The model must embed, or what needs says; raises wrong_object_type. */
extern _Noreturn void aiaas_reject_encoder(const AiaasModel *model, const char *needs);

#endif							/* AIAAS_TEXTS_H */
