/*-------------------------------------------------------------------------
 * import_source.c
 *		Where the bytes of an import come from.
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "pg/jobs/importer_internal.h"

#include <sys/stat.h>

#include "access/detoast.h"
#include "catalog/pg_authid.h"
#include "catalog/pg_type.h"
#include "core/format/export.h"
#include "libpq/be-fsstubs.h"
#include "libpq/libpq-fs.h"
#include "storage/fd.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"

#include "pg/host/compat.h"
#include "pg/jobs/select.h"

/* Read at once from a file or large object */
#define BLOCK_SIZE (1024 * 1024)

/*
 * A value of the caller
 */

/* The head first: a stored value that is no model, or too large, stays packed. */
void
aiaas_import_bytea(AiaasImporter *importer, Datum source)
{
	bytea	   *head = DatumGetByteaPSlice(source, 0, AI_EXPORT_HEAD_SIZE);
	size_t		n_head = VARSIZE_ANY_EXHDR(head);
	bytea	   *whole;

	aiaas_importer_expect(importer, toast_raw_datum_size(source) - VARHDRSZ);
	aiaas_importer_add(importer, VARDATA_ANY(head), n_head);
	whole = DatumGetByteaPP(source);
	aiaas_importer_add(importer, VARDATA_ANY(whole) + n_head, VARSIZE_ANY_EXHDR(whole) - n_head);
}

/*
 * A large object
 */
void
aiaas_import_large_object(AiaasImporter *importer, Oid source)
{
	int32		fd = DatumGetInt32(DirectFunctionCall2(be_lo_open, ObjectIdGetDatum(source),
													   Int32GetDatum(INV_READ)));
	char	   *block = palloc(BLOCK_SIZE);
	int			n;

	aiaas_importer_expect(importer, DatumGetInt64(DirectFunctionCall3(be_lo_lseek64,
																	  Int32GetDatum(fd),
																	  Int64GetDatum(0),
																	  Int32GetDatum(SEEK_END))));
	DirectFunctionCall3(be_lo_lseek64, Int32GetDatum(fd), Int64GetDatum(0),
						Int32GetDatum(SEEK_SET));
	while ((n = lo_read(fd, block, BLOCK_SIZE)) > 0)
	{
		CHECK_FOR_INTERRUPTS();
		aiaas_importer_add(importer, block, n);
	}
	DirectFunctionCall1(be_lo_close, Int32GetDatum(fd));
	pfree(block);
}

/*
 * A file of the server
 */
static void
check_may_read_files(void)
{
	if (!has_privs_of_role(GetUserId(), ROLE_PG_READ_SERVER_FILES))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied to import from a file of the server"),
				 errdetail("Only roles with privileges of \"pg_read_server_files\" may."),
				 errhint("Send the bytes from the client: \\lo_import in psql and ai_import(), "
						 "or a table and ai_import_query().")));
}

static void
raise_file_error(const char *action, const char *path)
{
	ereport(ERROR,
			(errcode_for_file_access(),
			 errmsg("could not %s file \"%s\": %m", action, path)));
}

/* Looked at before it is opened as well, since to open a pipe is to wait. */
static FILE *
open_regular_file(const char *path, struct stat *status)
{
	FILE	   *file = NULL;

	if (stat(path, status) != 0)
		raise_file_error("stat", path);
	if (S_ISREG(status->st_mode))
	{
		file = AllocateFile(path, PG_BINARY_R);
		if (file == NULL || fstat(fileno(file), status) != 0)
			raise_file_error("open", path);
	}
	if (!S_ISREG(status->st_mode))
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"%s\" is not a regular file", path)));
	return file;
}

void
aiaas_import_file(AiaasImporter *importer, const char *path)
{
	struct stat status;
	char	   *name = pstrdup(path);
	char	   *block = palloc(BLOCK_SIZE);
	FILE	   *file;
	size_t		n;

	check_may_read_files();
	canonicalize_path(name);
	file = open_regular_file(name, &status);
	aiaas_importer_expect(importer, status.st_size);
	while ((n = fread(block, 1, BLOCK_SIZE, file)) > 0)
	{
		CHECK_FOR_INTERRUPTS();
		aiaas_importer_add(importer, block, n);
	}
	if (ferror(file))
		raise_file_error("read", name);
	FreeFile(file);
	pfree(block);
}

/*
 * A query
 */
static void
add_part(void *ud, TupleTableSlot *slot)
{
	bool		is_null;
	Datum		value = slot_getattr(slot, 1, &is_null);
	bytea	   *part;

	if (is_null)
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("a part of an exported model must not be null")));
	part = DatumGetByteaPP(value);
	aiaas_importer_add(ud, VARDATA_ANY(part), VARSIZE_ANY_EXHDR(part));
}

void
aiaas_import_query(AiaasImporter *importer, const char *sql)
{
	AiaasSelect select;

	aiaas_select_open(&select, sql);
	if (select.desc->natts != 1 ||
		getBaseType(TupleDescAttr(select.desc, 0)->atttypid) != BYTEAOID)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("the query must have one column of type bytea"),
				 errdetail("%s", aiaas_select_columns(&select)),
				 errhint("Use a query such as: SELECT data FROM parts ORDER BY seq")));
	aiaas_select_run(&select, add_part, importer);
	aiaas_select_close(&select);
}
