/*-------------------------------------------------------------------------
 * reference.c
 *		How users name models: 'reviews' and 'reviews@3'.
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "pg/catalog/catalog.h"

#include <limits.h>

/* The first byte that no name has, or len; '#' is kept for pins, which name a content for ever. */
static size_t
find_foreign_byte(const char *name, size_t len)
{
	size_t		i = 0;

	while (i < len && (unsigned char) name[i] >= ' ' && name[i] != 0x7F &&
		   name[i] != '@' && name[i] != '#')
		i++;
	return i;
}

static bool
is_name(const char *name, size_t len)
{
	return len > 0 && len <= AIAAS_MODEL_NAME_MAX && find_foreign_byte(name, len) == len;
}

static void
check_name(const char *name, size_t len)
{
	size_t		foreign = find_foreign_byte(name, len);

	if (is_name(name, len))
		return;
	if (len == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_NAME),
				 errmsg("model name must not be empty")));
	if (len > AIAAS_MODEL_NAME_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_NAME_TOO_LONG),
				 errmsg("model name must not be longer than %d bytes", AIAAS_MODEL_NAME_MAX),
				 errdetail("The name has %zu bytes.", len)));
	if (name[foreign] == '@' || name[foreign] == '#')
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_NAME),
				 errmsg("model name \"%.*s\" must not contain \"%c\"", (int) len, name,
						name[foreign]),
				 errhint("\"@\" stands before a version's number and \"#\" is reserved.")));
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_NAME),
			 errmsg("model name must not contain control characters"),
			 errdetail("Byte %zu is 0x%02x.", foreign + 1, (unsigned char) name[foreign])));
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

/* The name's length; version is -1 where it is malformed. */
static size_t
split_reference(const char *reference, int *version)
{
	const char *at = strchr(reference, '@');

	*version = at != NULL ? parse_version(at + 1) : 0;
	return at != NULL ? (size_t) (at - reference) : strlen(reference);
}

bool
aiaas_model_ref_try_parse(AiaasModelRef *ref, const char *reference)
{
	size_t		len = split_reference(reference, &ref->version);

	if (!is_name(reference, len) || ref->version < 0)
		return false;
	memcpy(ref->name, reference, len);
	ref->name[len] = '\0';
	return true;
}

void
aiaas_model_ref_parse(AiaasModelRef *ref, const char *reference)
{
	int			version;
	size_t		len = split_reference(reference, &version);

	check_name(reference, len);
	if (!aiaas_model_ref_try_parse(ref, reference))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_NAME),
				 errmsg("invalid version in model reference \"%s\"", reference),
				 errhint("Write \"%.*s\" for the deployed version, or \"%.*s@3\" for version 3.",
						 (int) len, reference, (int) len, reference)));
}
