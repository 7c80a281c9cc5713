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
#include "libpq/be-fsstubs.h"
#include "libpq/libpq-fs.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"

#include "pg/host/compat.h"
#include "pg/host/host.h"
#include "pg/jobs/select.h"
#include "pg/stats/stats.h"

/* Of one call, bytes */
#define MAX_READ ((size_t) 1 << 30)

/*
 * A value of the caller
 */
typedef struct Value
{
	const AiHost *host;
	MemoryContext context;
	Datum		datum;
	const char *bytes;			/* NULL: it is not unpacked yet */
} Value;

typedef struct ValueRead
{
	Value	   *value;
	void	   *to;
	uint64		offset;
	size_t		n;
} ValueRead;

/* The beginning first: a stored value that is no model, or too large, stays packed. */
static void
read_value(void *arg)
{
	ValueRead  *r = arg;
	Value	   *value = r->value;

	HOLD_INTERRUPTS();
	if (value->bytes == NULL && r->offset + r->n <= AI_MAGIC_SIZE)
	{
		bytea	   *slice = DatumGetByteaPSlice(value->datum, (int32) r->offset, (int32) r->n);

		memcpy(r->to, VARDATA_ANY(slice), r->n);
		RESUME_INTERRUPTS();
		return;
	}
	if (value->bytes == NULL)
	{
		MemoryContext old_context = MemoryContextSwitchTo(value->context);

		value->bytes = VARDATA_ANY(DatumGetByteaPP(value->datum));
		MemoryContextSwitchTo(old_context);
	}
	memcpy(r->to, value->bytes + r->offset, r->n);
	RESUME_INTERRUPTS();
}

static AiCode
read_value_source(void *ud, void *to, uint64_t offset, size_t n, AiError *err)
{
	Value	   *value = ud;
	ValueRead	r = {value, to, offset, n};

	aiaas_activity_bytes((int64) n);
	return aiaas_host_try(value->host, read_value, &r) ? AI_OK :
		ai_fail(err, AI_ERR_DATA, "could not read a value");
}

void
aiaas_import_bytea(AiaasImporter *importer, Datum source)
{
	Value	   *value = MemoryContextAllocZero(importer->context, sizeof(Value));
	AiSource	opened = {.read = read_value_source, .ud = value};

	value->host = importer->host;
	value->context = importer->context;
	value->datum = source;
	opened.size = toast_raw_datum_size(source) - VARHDRSZ;
	aiaas_importer_open(importer, &opened);
}

/*
 * A large object
 */
typedef struct Object
{
	const AiHost *host;
	int			fd;				/* closed at the end of the transaction */
	uint64		position;
} Object;

typedef struct ObjectRead
{
	Object	   *object;
	char	   *to;
	uint64		offset;
	size_t		n;
} ObjectRead;

static int64
seek_object(int fd, int64 offset, int whence)
{
	return DatumGetInt64(DirectFunctionCall3(be_lo_lseek64, Int32GetDatum(fd),
											 Int64GetDatum(offset), Int32GetDatum(whence)));
}

static void
read_object(void *arg)
{
	ObjectRead *r = arg;
	Object	   *object = r->object;

	HOLD_INTERRUPTS();
	if (object->position != r->offset)
		(void) seek_object(object->fd, (int64) r->offset, SEEK_SET);
	object->position = r->offset;
	while (r->n > 0)
	{
		int			n = lo_read(object->fd, r->to, (int) Min(r->n, MAX_READ));

		if (n <= 0)
			ereport(ERROR,
					(errcode(ERRCODE_DATA_CORRUPTED),
					 errmsg("large object ends before its size")));
		object->position += n;
		r->to += n;
		r->n -= n;
	}
	RESUME_INTERRUPTS();
}

static AiCode
read_object_source(void *ud, void *to, uint64_t offset, size_t n, AiError *err)
{
	Object	   *object = ud;
	ObjectRead	r = {object, to, offset, n};

	aiaas_activity_bytes((int64) n);
	return aiaas_host_try(object->host, read_object, &r) ? AI_OK :
		ai_fail(err, AI_ERR_DATA, "could not read a large object");
}

void
aiaas_import_large_object(AiaasImporter *importer, Oid source)
{
	Object	   *object = MemoryContextAllocZero(importer->context, sizeof(Object));
	AiSource	opened = {.read = read_object_source, .ud = object};

	object->host = importer->host;
	object->fd = DatumGetInt32(DirectFunctionCall2(be_lo_open, ObjectIdGetDatum(source),
												   Int32GetDatum(INV_READ)));
	opened.size = object->position = seek_object(object->fd, 0, SEEK_END);
	aiaas_importer_open(importer, &opened);
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

void
aiaas_import_file(AiaasImporter *importer, const char *path)
{
	char	   *name = MemoryContextStrdup(importer->context, path);
	struct stat status;
	AiSource	source;

	check_may_read_files();
	canonicalize_path(name);
	importer->path = name;
	if (stat(name, &status) != 0)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not stat file \"%s\": %m", name)));
	if (S_ISDIR(status.st_mode))
	{
		aiaas_import_folder(importer, name);
		return;
	}
	aiaas_import_check_regular(name, &status);
	source = aiaas_import_file_source(importer, name, status.st_size);
	aiaas_importer_open(importer, &source);
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
				 errmsg("a part of a model must not be null")));
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
	aiaas_importer_end(importer);
	aiaas_select_close(&select);
}
