/*-------------------------------------------------------------------------
 * reference.c
 *		How users name models: 'reviews' and 'reviews@3'.
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "pg/catalog/catalog.h"

#include <limits.h>

/* '#' is kept for pins, which name a content for ever. */
static void
check_name(const char *name, size_t len)
{
	if (len == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_NAME),
				 errmsg("model name must not be empty")));
	if (len > AIAAS_MODEL_NAME_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_NAME_TOO_LONG),
				 errmsg("model name must not be longer than %d bytes", AIAAS_MODEL_NAME_MAX),
				 errdetail("The name has %zu bytes.", len)));
	for (size_t i = 0; i < len; i++)
	{
		unsigned char byte = name[i];

		if (byte == '@' || byte == '#')
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_NAME),
					 errmsg("model name \"%.*s\" must not contain \"%c\"", (int) len, name, byte),
					 errhint("\"@\" stands before a version's number and \"#\" is reserved.")));
		if (byte < ' ' || byte == 0x7F)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_NAME),
					 errmsg("model name must not contain control characters"),
					 errdetail("Byte %zu is 0x%02x.", i + 1, byte)));
	}
}

void
aiaas_model_name_check(const char *name)
{
	check_name(name, strlen(name));
}

/* Digits of 1 to INT_MAX, or -1 */
static int
parse_version(const char *digits)
{
	int64		version = 0;

	for (const char *d = digits; *d != '\0'; d++)
	{
		if (*d < '0' || *d > '9')
			return -1;
		version = version * 10 + (*d - '0');
		if (version > INT_MAX)
			return -1;
	}
	return version > 0 ? (int) version : -1;
}

void
aiaas_model_ref_parse(AiaasModelRef *ref, const char *reference)
{
	const char *at = strchr(reference, '@');
	size_t		len = at != NULL ? (size_t) (at - reference) : strlen(reference);

	check_name(reference, len);
	memcpy(ref->name, reference, len);
	ref->name[len] = '\0';
	ref->version = at != NULL ? parse_version(at + 1) : 0;
	if (ref->version < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_NAME),
				 errmsg("invalid version in model reference \"%s\"", reference),
				 errhint("Write \"%s\" for the deployed version, or \"%s@3\" for version 3.",
						 ref->name, ref->name)));
}
