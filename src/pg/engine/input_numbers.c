/*-------------------------------------------------------------------------
 * input_numbers.c
 *		The first argument of a call, as the numbers or pixels that a network reads.
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "pg/engine/input_numbers.h"

#include "utils/builtins.h"

#include "pg/engine/features.h"
#include "pg/engine/input.h"
#include "pg/engine/kind.h"

/*
 * Types
 */
bool
aiaas_reads_numbers(const AiNetwork *network)
{
	return network != NULL && ai_network_parts(network)->input != AI_NETWORK_WORDS;
}

static bool
init_column(AiaasNumberColumn *column, const AiNetwork *network, AttrNumber number, Oid type)
{
	bool		is_pixels = ai_network_parts(network)->input == AI_NETWORK_PIXELS;

	column->number = number;
	return aiaas_number_reader_init(&column->reader, type) &&
		is_pixels == (column->reader.form == AIAAS_NUMBERS_BYTES);
}

bool
aiaas_input_numbers_init(AiaasInputNumbers *numbers, const AiNetwork *network, Oid type)
{
	numbers->network = network;
	return init_column(&numbers->value, network, 0, type);
}

void
aiaas_reject_numbers(const AiNetwork *network, const AiaasModel *model, Oid type,
					 const char *column)
{
	AiNetworkInput input = ai_network_parts(network)->input;

	ereport(ERROR,
			(errcode(ERRCODE_DATATYPE_MISMATCH),
			 errmsg("model \"%s\" reads %s, not %s", model->name,
					aiaas_network_input_name(input), format_type_be(type)),
			 column == NULL ? 0 : errdetail("This is the type of column \"%s\".", column),
			 input == AI_NETWORK_PIXELS ? errhint("Pixels are bytes, given as bytea.") :
			 errhint("Numbers are given one by one or as an array, for example as real[].")));
}

static const AiaasNumberColumn *
find_column(AiaasNumberColumn *column, const AiNetwork *network, const AiaasModel *model,
			TupleDesc desc, const char *name)
{
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);

		if (att->attisdropped || strcmp(NameStr(att->attname), name) != 0)
			continue;
		if (!init_column(column, network, att->attnum, att->atttypid))
			aiaas_reject_numbers(network, model, att->atttypid, name);
		return column;
	}
	return NULL;
}

void
aiaas_input_numbers_find(AiaasInputNumbers *numbers, const AiaasModel *model, TupleDesc desc,
						 MemoryContext context)
{
	List	   *names = aiaas_features_columns(model);
	int			n = list_length(names);
	AiaasNumberColumn *columns = MemoryContextAllocZero(context, n * sizeof(AiaasNumberColumn));

	for (int i = 0; i < n; i++)
	{
		if (find_column(&columns[i], numbers->network, model, desc, list_nth(names, i)) == NULL)
			aiaas_reject_row(model, list_nth(names, i));
	}
	if (numbers->columns != NULL)
		pfree(numbers->columns);
	numbers->columns = columns;
	numbers->n_columns = n;
}

/*
 * Values
 */

/* One after the other into floats:[as many as they are] */
static AiCode
read_all(float *floats, const AiaasNumbers *parts, int n, AiError *err)
{
	size_t		n_before = 0;
	size_t		place;

	for (int i = 0; i < n; i++)
	{
		/* What is out of range becomes infinite, and is told by the core as such. */
		if (aiaas_numbers_read(&parts[i], floats + n_before, &place) == AIAAS_NUMBERS_NULL)
			return ai_fail(err, AI_ERR_DATA, "number %zu of the input is null", n_before + place);
		n_before += parts[i].n;
	}
	return AI_OK;
}

/* As many as the network reads: where they lie, or copied one after the other */
static AiCode
gather_numbers(const AiaasNumbers *parts, int n, const void **bytes, size_t len, AiError *err)
{
	float	   *floats;

	if (n == 1 && parts[0].floats != NULL)
	{
		*bytes = parts[0].floats;
		return AI_OK;
	}
	floats = palloc(len);
	*bytes = floats;
	return read_all(floats, parts, n, err);
}

static void
gather_pixels(const AiaasNumbers *parts, int n, const void **bytes, size_t len)
{
	uint8	   *pixels;

	*bytes = parts[0].bytes;
	if (n == 1)
		return;
	pixels = palloc(len);
	*bytes = pixels;
	for (int i = 0; i < n; i++)
	{
		memcpy(pixels, parts[i].bytes, parts[i].n);
		pixels += parts[i].n;
	}
}

AiCode
aiaas_input_numbers_read(const AiNetwork *network, const AiaasNumberColumn *columns,
						 const Datum *values, int n, const void **bytes, size_t *len, AiError *err)
{
	bool		is_pixels = ai_network_parts(network)->input == AI_NETWORK_PIXELS;
	AiaasNumbers one;
	AiaasNumbers *parts = n == 1 ? &one : palloc(n * sizeof(AiaasNumbers));
	AiNetworkRow row = {0};

	for (int i = 0; i < n; i++)
	{
		aiaas_numbers_open(&parts[i], &columns[i].reader, values[i]);
		row.len += parts[i].n * (is_pixels ? 1 : sizeof(float));
	}
	/* With another length it is not read at all. */
	if (row.len == ai_network_input_bytes(network))
	{
		if (is_pixels)
			gather_pixels(parts, n, &row.bytes, row.len);
		else
			AI_TRY(gather_numbers(parts, n, &row.bytes, row.len, err));
	}
	*bytes = row.bytes;
	*len = row.len;
	return ai_network_check(network, &row, err);
}
