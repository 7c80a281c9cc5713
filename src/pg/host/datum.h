/*-------------------------------------------------------------------------
 * datum.h
 *		From SQL values to the core's UTF-8 texts, and back.
 *
 * A reader is made once per column or call site and then used for every value.
 * In a SQL_ASCII database bytes pass unchanged both ways, since nobody knows
 * what they mean.
 *-------------------------------------------------------------------------
 */
#ifndef AIAAS_DATUM_H
#define AIAAS_DATUM_H

#include "fmgr.h"

typedef enum AiaasTextForm
{
	AIAAS_FORM_NONE,			/* not a type that this reader takes */
	AIAAS_FORM_VARLENA,			/* text, varchar: the bytes are the text */
	AIAAS_FORM_BPCHAR,			/* the same without the blanks that pad it */
	AIAAS_FORM_NAME,
	AIAAS_FORM_CSTRING,
	AIAAS_FORM_JSON,			/* a string's content, else the document as text */
	AIAAS_FORM_JSONB,			/* the same */
	AIAAS_FORM_BOOL,			/* true, false */
	AIAAS_FORM_NUMBER,			/* float or numeric, while it is a whole number */
	AIAAS_FORM_OUTPUT			/* integers, enums, other string types: the output function */
} AiaasTextForm;

typedef struct AiaasTextReader
{
	Oid			type;			/* as given */
	Oid			base_type;		/* behind domains */
	AiaasTextForm form;
	bool		is_enum;
	FmgrInfo	output;			/* AIAAS_FORM_OUTPUT, AIAAS_FORM_NUMBER */
} AiaasTextReader;

/*
 * Reader of a text column: every type of the string category, domains over
 * them, enums, json and jsonb.  False for other types.  What the reader needs
 * later lives in context.
 */
extern bool aiaas_text_reader_init(AiaasTextReader *reader, Oid type,
								   MemoryContext context);

/*
 * Reader of a target: the types above, booleans, integers, and numbers while
 * they are whole ("classes"); the label is the text that a cast would give.
 */
extern bool aiaas_label_reader_init(AiaasTextReader *reader, Oid type,
									MemoryContext context);

/*
 * The value as UTF-8, not terminated; value is not NULL.  The bytes are in the
 * datum itself or in the current memory context: copy them or use them before
 * either goes.  False only from AIAAS_FORM_NUMBER: the number has a fraction
 * or is not finite, so it is a measure and not a class.
 */
extern bool aiaas_reader_get(const AiaasTextReader *reader, Datum value,
							 const char **utf8, size_t *len);

/*
 * The same for a value that nobody has asked for yet: false where reading it would raise, or
 * might.  Only what is stored can be so damaged that this raises all the same.
 */
extern bool aiaas_reader_try_get(const AiaasTextReader *reader, Datum value,
								 const char **utf8, size_t *len);

/* A text argument as UTF-8, lifetime as above */
extern const char *aiaas_text_to_utf8(const text *value, size_t *len);
extern const char *aiaas_text_try_to_utf8(const text *value, size_t *len);	/* NULL: not possible */

/*
 * From the core to SQL, in the current memory context.  Raises
 * untranslatable_character when the database's encoding has no such
 * character, which needs a model from a database of another encoding.
 */
extern text *aiaas_utf8_to_text(const char *utf8, size_t len);
extern char *aiaas_utf8_to_cstring(const char *utf8, size_t len);

/* As above for messages: never raises, a lost character becomes '?' */
extern char *aiaas_utf8_to_message(const char *utf8);

#endif							/* AIAAS_DATUM_H */
