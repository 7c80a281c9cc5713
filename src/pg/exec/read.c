/*-------------------------------------------------------------------------
 * read.c
 *		How BatchProject reads rows of its child ahead, and what it keeps of them.
 *
 * How far: as far as a LIMIT above is known to want, otherwise 1, 2, 4, ... rows, and
 * batches of full size where all rows will be read anyway.  What ends a batch earlier is
 * the work it holds, or its memory.
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "pg/exec/node_internal.h"

#include "access/detoast.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "storage/bufmgr.h"
#include "utils/datum.h"
#include "utils/expandeddatum.h"
#include "utils/memutils.h"

#include "pg/host/compat.h"
#include "pg/host/guc.h"

#define FIRST_CAPACITY 16
#define FIRST_CHUNK_SIZE ((Size) 8 * 1024)
#define CHUNK_SIZE ((Size) 64 * 1024)

/* Bytes from which on a value is not copied if its page can be held */
#define WIDE_VALUE 256
#define MAX_PINS 64

/*
 * Memory of a batch
 */

static void *
batch_alloc(AiaasBatchState *state, Size size)
{
	char	   *result;

	size = MAXALIGN(size);
	state->n_bytes += size;
	if (unlikely(size > state->chunk_size - state->chunk_used))
	{
		/* The rest of a chunk is lost, so large ones do not begin another. */
		if (size > CHUNK_SIZE / 8)
			return MemoryContextAllocHuge(state->batch_context, size);
		state->chunk_size = CHUNK_SIZE;
		state->chunk = MemoryContextAlloc(state->batch_context, state->chunk_size);
		state->chunk_used = 0;
	}
	result = state->chunk + state->chunk_used;
	state->chunk_used += size;
	return result;
}

/* Hold the page that the child's row is on until the batch ends; false: it may not. */
static bool
pin_page(AiaasBatchState *state)
{
	Buffer		buffer = ((BufferHeapTupleTableSlot *) state->scan_slot)->buffer;

	if (state->n_pins > 0 && state->pins[state->n_pins - 1] == buffer)
		return true;
	if (state->n_pins == state->max_pins || BufferIsLocal(buffer))
		return false;
	IncrBufferRefCount(buffer);
	state->pins[state->n_pins++] = buffer;
	return true;
}

static void
release_pins(AiaasBatchState *state)
{
	while (state->n_pins > 0)
		ReleaseBuffer(state->pins[--state->n_pins]);
}

/* Is it on the page of the row that the child has just read from a table? */
static bool
is_on_page(const AiaasBatchState *state, Datum value)
{
	const TupleTableSlot *slot = state->scan_slot;
	Buffer		buffer;
	const char *page;

	if (slot == NULL || TTS_EMPTY(slot))
		return false;
	buffer = ((const BufferHeapTupleTableSlot *) slot)->buffer;
	if (!BufferIsValid(buffer))
		return false;
	page = BufferGetPage(buffer);
	return DatumGetPointer(value) >= page && DatumGetPointer(value) < page + BLCKSZ;
}

/*
 * A value that lives as long as the batch.  Wide ones stay on their page, and what is
 * stored out of line stays there.
 */
static Datum
keep_reference(AiaasBatchState *state, Datum value, int16 length)
{
	Size		size;
	char	   *copy;

	if (length == -1 && VARATT_IS_EXTERNAL_EXPANDED(DatumGetPointer(value)))
	{
		ExpandedObjectHeader *object = DatumGetEOHP(value);

		size = EOH_get_flat_size(object);
		copy = batch_alloc(state, size);
		EOH_flatten_into(object, copy, size);
		return PointerGetDatum(copy);
	}
	size = datumGetSize(value, false, length);
	if (size >= WIDE_VALUE && is_on_page(state, value) && pin_page(state))
		return value;
	copy = batch_alloc(state, size);
	memcpy(copy, DatumGetPointer(value), size);
	return PointerGetDatum(copy);
}

static inline Datum
keep_value(AiaasBatchState *state, Datum value, int16 length, bool is_by_value)
{
	return is_by_value ? value : keep_reference(state, value, length);
}

void
aiaas_batch_clear(AiaasBatchState *state)
{
	release_pins(state);
	MemoryContextReset(state->batch_context);
	state->chunk = state->first_chunk;
	state->chunk_size = FIRST_CHUNK_SIZE;
	state->chunk_used = 0;
	state->n_bytes = 0;
	state->n_rows = state->position = 0;
}

/* Where the child's rows are on pages of a table, its slot knows which. */
static void
init_pins(AiaasBatchState *state)
{
	PlanState  *child = outerPlanState(state);

	switch (nodeTag(child))
	{
		case T_SeqScanState:
		case T_SampleScanState:
		case T_IndexScanState:
		case T_BitmapHeapScanState:
		case T_TidScanState:
		case T_TidRangeScanState:
			if (TTS_IS_BUFFERTUPLE(((ScanState *) child)->ss_ScanTupleSlot))
				state->scan_slot = ((ScanState *) child)->ss_ScanTupleSlot;
			break;
		default:
			break;
	}
	state->max_pins = Min(MAX_PINS, NBuffers / (4 * MaxBackends));
	if (state->scan_slot != NULL)
		state->pins = palloc(MAX_PINS * sizeof(Buffer));
	else
		state->max_pins = 0;
}

void
aiaas_batch_init(AiaasBatchState *state)
{
	state->batch_context = AllocSetContextCreate(CurrentMemoryContext, "aiaas batch",
												 ALLOCSET_DEFAULT_SIZES);
	state->first_chunk = palloc(FIRST_CHUNK_SIZE);
	state->ramp = 1;
	init_pins(state);
	aiaas_batch_clear(state);
}

/*
 * Reading ahead
 */

/* An array for one more round of rows, in the current memory context */
static void *
grow_array(void *array, Size size, int capacity)
{
	Size		n_bytes = Max(size, 1) * capacity;

	if (array == NULL)
		return MemoryContextAllocHuge(CurrentMemoryContext, n_bytes);
	return repalloc_huge(array, n_bytes);
}

static void
grow(AiaasBatchState *state)
{
	int			capacity = state->capacity > 0 ? state->capacity * 2 : FIRST_CAPACITY;
	MemoryContext old_context = MemoryContextSwitchTo(state->css.ss.ps.state->es_query_cxt);

	if (state->table_slot != NULL)
		state->tids = grow_array(state->tids, sizeof(ItemPointerData), capacity);
	state->values = grow_array(state->values, state->n_columns * sizeof(Datum), capacity);
	state->nulls = grow_array(state->nulls, state->n_columns * sizeof(bool), capacity);
	for (int i = 0; i < state->n_calls; i++)
	{
		BatchCall  *call = &state->calls[i];

		call->results = grow_array(call->results, sizeof(NullableDatum), capacity);
		call->is_done = grow_array(call->is_done, sizeof(bool), capacity);
		for (int j = 0; j < call->n_arguments; j++)
		{
			BatchArgument *argument = &call->arguments[j];

			argument->values = grow_array(argument->values, sizeof(NullableDatum),
										  argument->is_constant ? 1 : capacity);
			call->columns[j].values = argument->values;
			call->columns[j].stride = argument->is_constant ? 0 : 1;
		}
	}
	state->capacity = capacity;
	MemoryContextSwitchTo(old_context);
}

/* How many rows are sure to be wanted; 0: not known */
static int64
demanded(const AiaasBatchState *state)
{
	const LimitState *limit = state->demand.limit;
	const AiaasBatchState *reader = state->demand.reader;
	int64		demand = 0;

	if (limit != NULL && !limit->noCount)
		demand = limit->offset + limit->count - limit->position;
	else if (reader != NULL)
		demand = reader->n_wanted - reader->n_rows;
	return Max(demand, 0);
}

/* The limits of the next batch */
static void
plan_batch(AiaasBatchState *state)
{
	int			max_rows = INT_MAX;
	int64		demand = demanded(state);
	int64		n;

	for (int i = 0; i < state->n_calls; i++)
	{
		BatchCall  *call = &state->calls[i];

		call->verb->size(call->fcinfo, &call->size);
		call->work = 0;
		max_rows = Min(max_rows, call->size.max_rows);
	}
#ifdef AIAAS_DEBUG_BATCH
	if (aiaas_debug_batch_rows > 0)
		max_rows = Min(max_rows, aiaas_debug_batch_rows);
#endif
	if (!aiaas_batch || ScanDirectionIsBackward(state->css.ss.ps.state->es_direction))
		max_rows = 1;

	if (state->reads_all)
		n = max_rows;
	else
	{
		n = demand;
		if (demand == 0 || state->css.ss.ps.qual != NULL)
		{
			n = Max(demand, state->ramp);
			state->ramp = Min(state->ramp * 2, max_rows);
		}
	}
	state->n_wanted = (int) Max(Min(n, max_rows), 1);
}

static inline void
read_argument(AiaasBatchState *state, BatchArgument *argument, TupleTableSlot *slot, int row)
{
	NullableDatum *to;
	Datum		value;
	bool		is_null;

	if (argument->is_constant && row > 0)
		return;
	if (argument->source > 0)
	{
		value = slot->tts_values[argument->source - 1];
		is_null = slot->tts_isnull[argument->source - 1];
	}
	else
	{
		ExprContext *econtext = state->css.ss.ps.ps_ExprContext;

		ResetExprContext(econtext);
		econtext->ecxt_outertuple = slot;
		value = ExecEvalExprSwitchContext(argument->expression, econtext, &is_null);
	}
	to = &argument->values[row];
	to->isnull = is_null;
	to->value = is_null ? (Datum) 0 :
		keep_value(state, value, argument->length, argument->is_by_value);
}

/* The verb will unpack an input that is compressed or stored out of line. */
static inline int64
work_of(AiaasBatchState *state, const BatchCall *call, int row)
{
	const BatchArgument *argument = &call->arguments[0];
	Datum		input;
	int64		size;

	if (call->size.unit == AIAAS_WORK_ROWS)
		return 1;
	if (argument->length != -1)
		return argument->length;
	input = argument->values[argument->is_constant ? 0 : row].value;
	size = toast_raw_datum_size(input) - VARHDRSZ;
	if (VARATT_IS_COMPRESSED(DatumGetPointer(input)) || VARATT_IS_EXTERNAL(DatumGetPointer(input)))
		state->n_bytes += size;
	return size;
}

/* False: the batch holds enough work. */
static inline bool
read_call(AiaasBatchState *state, BatchCall *call, TupleTableSlot *slot, int row)
{
	bool		has_null = false;

	for (int i = 0; i < call->n_arguments; i++)
	{
		BatchArgument *argument = &call->arguments[i];

		read_argument(state, argument, slot, row);
		has_null |= argument->values[argument->is_constant ? 0 : row].isnull;
	}
	call->is_done[row] = has_null && call->flinfo.fn_strict;
	call->results[row].value = (Datum) 0;
	call->results[row].isnull = true;
	if (likely(!call->is_done[row]))
		call->work += work_of(state, call, row);
	return call->work < call->size.target;
}

/* False: the batch is full. */
static bool
read_row(AiaasBatchState *state, TupleTableSlot *slot)
{
	int			row = state->n_rows;
	Datum	   *values;
	bool	   *nulls;
	bool		has_room = true;

	if (row >= state->capacity)
		grow(state);
	slot_getsomeattrs(slot, state->last_source);
	values = &state->values[(Size) row * state->n_columns];
	nulls = &state->nulls[(Size) row * state->n_columns];
	for (int i = 0; i < state->n_columns; i++)
	{
		const BatchColumn *column = &state->columns[i];

		nulls[i] = slot->tts_isnull[column->source - 1];
		values[i] = nulls[i] ? (Datum) 0 :
			keep_value(state, slot->tts_values[column->source - 1], column->length,
					   column->is_by_value);
	}
	if (state->table_slot != NULL)
		state->tids[row] = state->table_slot->tts_tid;
	for (int i = 0; i < state->n_calls; i++)
		has_room &= read_call(state, &state->calls[i], slot, row);
	state->n_rows++;
	return has_room && state->n_bytes < (Size) aiaas_max_batch_memory * 1024;
}

/*
 * A BatchProject that is read by another must not raise for a row that nobody has
 * asked for yet.  It then seems to end, and says that it is held.
 */
static bool
read_child(AiaasBatchState *state)
{
	AiaasBatchState *source = state->source;
	TupleTableSlot *slot;

	if (unlikely(source != NULL))
		source->is_ahead = state->is_ahead || state->n_rows > 0;
	slot = ExecProcNode(outerPlanState(state));
	if (likely(!TupIsNull(slot)))
		return read_row(state, slot);
	if (source == NULL || !source->is_held)
		state->is_at_end = ScanDirectionIsForward(state->css.ss.ps.state->es_direction);
	else
	{
		source->is_held = false;
		state->is_held = state->n_rows == 0;
	}
	return false;
}

/* As a LIMIT does that is right above: a sort of which few rows are wanted keeps only these. */
void
aiaas_batch_pass_bound(AiaasBatchState *state)
{
	const LimitState *limit = state->demand.bound;
	bool		has_end;

	if (limit == NULL || state->css.ss.ps.qual != NULL)
		return;
	has_end = !limit->noCount && limit->limitOption == LIMIT_OPTION_COUNT;
	ExecSetTupleBound(has_end ? limit->offset + limit->count : -1, outerPlanState(state));
}

void
aiaas_batch_fill(AiaasBatchState *state)
{
	aiaas_batch_clear(state);
	if (state->is_at_end)
		return;
	aiaas_batch_pass_bound(state);
	plan_batch(state);
	while (state->n_rows < state->n_wanted && read_child(state))
		;
	state->n_wanted = 0;
}
