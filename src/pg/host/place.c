/*-------------------------------------------------------------------------
 * place.c
 *		The directory of the files that sessions share.
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "pg/host/place.h"

#include "common/file_perm.h"
#include "common/file_utils.h"	/* in newer servers, names of temporary files */
#include "pg/host/guc.h"
#include "storage/fd.h"

#define TEMP_DIRECTORY "base/" PG_TEMP_FILES_DIR
#define DEFAULT_DIRECTORY TEMP_DIRECTORY "/" PG_TEMP_FILE_PREFIX "_aiaas"

const char *
aiaas_place(void)
{
	return aiaas_cache_directory[0] != '\0' ? aiaas_cache_directory : DEFAULT_DIRECTORY;
}

static bool
make_directory(const char *path)
{
	return MakePGDirectory(path) == 0 || errno == EEXIST;
}

const char *
aiaas_place_make(void)
{
	if (aiaas_cache_directory[0] == '\0' && !make_directory(TEMP_DIRECTORY))
		return TEMP_DIRECTORY;
	return make_directory(aiaas_place()) ? NULL : aiaas_place();
}
