/*-------------------------------------------------------------------------
 * input.h
 *		The first argument of a call, as the text that a model reads.
 *
 * A text, a value of any type that can be read as one, or a row with the column that
 * the model was trained on.
 *-------------------------------------------------------------------------
 */
#ifndef AIAAS_INPUT_H
#define AIAAS_INPUT_H

#include "access/attnum.h"

#include "pg/catalog/catalog.h"
#include "pg/host/datum.h"

/* Raises program_limit_exceeded for a text longer than aiaas.max_input_bytes */
extern void aiaas_check_input(size_t n_bytes);

/* All zero until the type is known, which is the same for all rows of a call */
typedef struct AiaasInput
{
	Oid			type;
	MemoryContext context;		/* of what the reader needs */
	bool		is_row;
	bool		is_varlena;		/* what reader reads, which is as short as a name otherwise */
	AiaasTextReader reader;

	/* Of rows: where the model's column is in the row type seen last */
	Oid			row_type;
	int32		row_typmod;
	AttrNumber	column;			/* 0: not looked up for this row type and model */
} AiaasInput;

/* Raises datatype_mismatch where values of this type have no text. */
extern void aiaas_input_init(AiaasInput *input, Oid type, const AiaasModel *model,
							 MemoryContext context);

/* False where that would raise: then nothing is known yet. */
extern bool aiaas_input_try_init(AiaasInput *input, Oid type, MemoryContext context);

/* From now on it is another model that reads. */
extern void aiaas_input_forget_model(AiaasInput *input);

/*
 * A value that is not NULL, as UTF-8: its bytes live as long as the value or the current
 * memory context.  False: the model's column is NULL.
 */
extern bool aiaas_input_read(AiaasInput *input, const AiaasModel *model, Datum value,
							 const char **utf8, size_t *len);

typedef enum AiaasReading
{
	AIAAS_READING_DONE,
	AIAAS_READING_NULL,
	AIAAS_READING_LEFT			/* the other function might raise an error, or does */
} AiaasReading;

/* The same for a value that nobody has asked for yet, after one of the same call was read */
extern AiaasReading aiaas_input_try_read(const AiaasInput *input, Datum value,
										 const char **utf8, size_t *len);

#endif							/* AIAAS_INPUT_H */
