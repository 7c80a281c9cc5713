/*-------------------------------------------------------------------------
 * input.h
 *		The first argument of a call, as the bytes that a model reads.
 *
 * A text, a value of any type that can be read as one, or a row with the column that
 * the model was trained on; for networks also numbers and pixels.
 *-------------------------------------------------------------------------
 */
#ifndef AIAAS_INPUT_H
#define AIAAS_INPUT_H

#include "access/attnum.h"

#include "pg/catalog/catalog.h"
#include "pg/engine/input_numbers.h"
#include "pg/host/datum.h"

/* Raises program_limit_exceeded for an input longer than aiaas.max_input_bytes */
extern void aiaas_check_input(size_t n_bytes, bool is_text);

/* Of one type, which is the same for all rows of a call; all zero until it is known */
typedef struct AiaasInput
{
	Oid			type;			/* InvalidOid: not known, or which model reads is not */
	MemoryContext context;		/* of what the reader needs */
	bool		is_row;
	const AiNetwork *network;	/* NULL: another kind of model */
	AiaasInputNumbers numbers;	/* of networks that read them */

	/* Of models that read texts */
	bool		is_varlena;		/* what reader reads, which is as short as a name otherwise */
	AiaasTextReader reader;

	/* Of rows: where the model's column is in the row type seen last */
	Oid			row_type;		/* InvalidOid: not looked up for this model */
	int32		row_typmod;
	AttrNumber	column;			/* the text's */
} AiaasInput;

/*
 * Raises datatype_mismatch where the model cannot read values of this type.  network is the
 * open model, or NULL where it is none.
 */
extern void aiaas_input_init(AiaasInput *input, Oid type, const AiNetwork *network,
							 const AiaasModel *model, MemoryContext context);

/* False where that would raise: then nothing is known yet. */
extern bool aiaas_input_try_init(AiaasInput *input, Oid type, const AiNetwork *network,
								 MemoryContext context);

/* From now on it may be another model that reads: it has to be initialised again. */
extern void aiaas_input_forget_model(AiaasInput *input);

/*
 * A value that is not NULL, as UTF-8, or as a network takes it (network.h): its bytes live as
 * long as the value or the current memory context.  False: a column of the model is NULL.
 */
extern bool aiaas_input_read(AiaasInput *input, const AiaasModel *model, Datum value,
							 const void **bytes, size_t *len);

typedef enum AiaasReading
{
	AIAAS_READING_DONE,
	AIAAS_READING_NULL,
	AIAAS_READING_LEFT			/* the other function might raise an error, or does */
} AiaasReading;

/* The same for a value that nobody has asked for yet, after one of the same call was read */
extern AiaasReading aiaas_input_try_read(const AiaasInput *input, Datum value,
										 const void **bytes, size_t *len);

/* Raises undefined_column. */
extern _Noreturn void aiaas_reject_row(const AiaasModel *model, const char *column);

#endif							/* AIAAS_INPUT_H */
