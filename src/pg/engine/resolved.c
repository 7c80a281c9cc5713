/*-------------------------------------------------------------------------
 * resolved.c
 *		From a reference or pin to a version, remembered between statements.
 *
 * A look-up takes some tens of microseconds, which is much beside one short text.
 * Version, rights and roles are rows, so the answer is that of the last look-up where
 * its snapshot saw the same, and this transaction has not written.  Two snapshots of
 * one server saw the same if they end at the same transaction and count as many that
 * were running before it: of those, none can begin any more, and one that ended would
 * be missing.
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "pg/engine/resolved.h"

#include "access/xact.h"
#include "miscadmin.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#define MAX_REMEMBERED 8

/* After this time the transactions' numbers might be those of another round. */
#define REMEMBERED_FOR ((int64) 3600 * USECS_PER_SEC)

/* What the active snapshot sees */
typedef struct View
{
	TransactionId xmax;			/* invalid: that is not the whole truth */
	uint32		xcnt;
	int32		subxcnt;
	TimestampTz time;			/* of the statement */
} View;

typedef struct Remembered
{
	MemoryContext context;		/* of reference and model; NULL: none */
	View		view;
	Oid			user;
	AiaasCallMode mode;
	char	   *reference;
	AiaasModel *model;
} Remembered;

static Remembered remembered[MAX_REMEMBERED];
static int	next_place = 0;

static View
current_view(void)
{
	View		view = {.xmax = InvalidTransactionId};

	if (ActiveSnapshotSet() && IsMVCCSnapshot(GetActiveSnapshot()) &&
		!TransactionIdIsValid(GetTopTransactionIdIfAny()))
	{
		Snapshot	snapshot = GetActiveSnapshot();

		view.xmax = snapshot->xmax;
		view.xcnt = snapshot->xcnt;
		view.subxcnt = snapshot->subxcnt;
		view.time = GetCurrentStatementStartTimestamp();
	}
	return view;
}

static bool
is_same_view(const View *a, const View *b)
{
	return a->xmax == b->xmax && a->xcnt == b->xcnt && a->subxcnt == b->subxcnt &&
		b->time - a->time < REMEMBERED_FOR;
}

static const AiaasModel *
recall(const char *reference, AiaasCallMode mode, const View *view)
{
	for (int i = 0; i < MAX_REMEMBERED; i++)
	{
		const Remembered *it = &remembered[i];

		if (it->context != NULL && it->mode == mode && it->user == GetUserId() &&
			is_same_view(&it->view, view) && strcmp(it->reference, reference) == 0)
			return it->model;
	}
	return NULL;
}

static Jsonb *
copy_jsonb(const Jsonb *jsonb)
{
	Jsonb	   *copy = NULL;

	if (jsonb != NULL)
	{
		copy = palloc(VARSIZE(jsonb));
		memcpy(copy, jsonb, VARSIZE(jsonb));
	}
	return copy;
}

static AiaasModel *
copy_model(const AiaasModel *model)
{
	AiaasModel *copy = palloc(sizeof(AiaasModel));

	*copy = *model;
	copy->algorithm = pstrdup(model->algorithm);
	copy->kind = pstrdup(model->kind);
	copy->task = pstrdup(model->task);
	copy->options = copy_jsonb(model->options);
	copy->features = copy_jsonb(model->features);
	return copy;
}

/* In the place of what the reference meant before, else of the oldest */
static Remembered *
choose_place(const char *reference)
{
	for (int i = 0; i < MAX_REMEMBERED; i++)
	{
		if (remembered[i].context == NULL || strcmp(remembered[i].reference, reference) == 0)
			return &remembered[i];
	}
	next_place = (next_place + 1) % MAX_REMEMBERED;
	return &remembered[next_place];
}

static void
remember(const char *reference, AiaasCallMode mode, const View *view, const AiaasModel *model)
{
	Remembered *it = choose_place(reference);
	MemoryContext context = AllocSetContextCreate(TopMemoryContext, "aiaas reference",
												  ALLOCSET_SMALL_SIZES);
	MemoryContext old_context = MemoryContextSwitchTo(context);
	Remembered	new = {
		context, *view, GetUserId(), mode, pstrdup(reference), copy_model(model)
	};

	MemoryContextSwitchTo(old_context);
	if (it->context != NULL)
		MemoryContextDelete(it->context);
	*it = new;
}

AiaasModel *
aiaas_resolve(const char *reference, AiaasCallMode mode)
{
	View		view = current_view();
	bool		is_known = TransactionIdIsValid(view.xmax);
	const AiaasModel *known = is_known ? recall(reference, mode, &view) : NULL;
	AiaasModel *model;

	if (known != NULL)
		return copy_model(known);
	if (mode == AIAAS_CALL_PINNED)
		model = aiaas_model_resolve_pin(reference);
	else
		model = aiaas_model_resolve(reference, mode == AIAAS_CALL_READ ? AIAAS_READ : AIAAS_USE);
	if (is_known)
		remember(reference, mode, &view, model);
	return model;
}
