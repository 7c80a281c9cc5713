/*-------------------------------------------------------------------------
 * resolved.c
 *		From a reference or pin to a version, remembered between statements.
 *
 * A look-up takes some tens of microseconds, which is much beside one short text, and
 * the planner asks several times in a statement.  Version, rights and roles are rows, so
 * the answer is that of the last look-up where its snapshot saw the same.  Two snapshots
 * of one server saw the same if they end at the same transaction and count as many that
 * were running before it: of those, none can begin any more, and one that ended would
 * be missing.  Where this transaction has written, they must also have been taken in the
 * same subtransaction with the same count of commands.
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "pg/engine/resolved.h"

#include "access/xact.h"
#include "miscadmin.h"
#include "pg/host/compat.h"
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

	/* Of a transaction that has written, else 0 */
	LocalTransactionId lxid;
	SubTransactionId subxid;
	CommandId	curcid;
} View;

typedef struct Remembered
{
	MemoryContext context;		/* of reference and model; NULL: none */
	View		view;
	Oid			user;
	AiaasCallMode mode;
	char	   *reference;
	AiaasModel *model;			/* NULL: none was found */
} Remembered;

static Remembered remembered[MAX_REMEMBERED];
static int	next_place = 0;

static View
current_view(void)
{
	View		view = {.xmax = InvalidTransactionId};

	if (ActiveSnapshotSet() && IsMVCCSnapshot(GetActiveSnapshot()))
	{
		Snapshot	snapshot = GetActiveSnapshot();

		view.xmax = snapshot->xmax;
		view.xcnt = snapshot->xcnt;
		view.subxcnt = snapshot->subxcnt;
		view.time = GetCurrentStatementStartTimestamp();
		if (TransactionIdIsValid(GetTopTransactionIdIfAny()))
		{
			view.lxid = aiaas_local_transaction_id();
			view.subxid = GetCurrentSubTransactionId();
			view.curcid = snapshot->curcid;
		}
	}
	return view;
}

static bool
is_same_view(const View *a, const View *b)
{
	return a->xmax == b->xmax && a->xcnt == b->xcnt && a->subxcnt == b->subxcnt &&
		a->lxid == b->lxid && a->subxid == b->subxid && a->curcid == b->curcid &&
		b->time - a->time < REMEMBERED_FOR;
}

static const Remembered *
recall(const char *reference, AiaasCallMode mode, const View *view)
{
	for (int i = 0; i < MAX_REMEMBERED; i++)
	{
		const Remembered *it = &remembered[i];

		if (it->context != NULL && it->mode == mode && it->user == GetUserId() &&
			is_same_view(&it->view, view) && strcmp(it->reference, reference) == 0)
			return it;
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
	AiaasModel *copy;

	if (model == NULL)
		return NULL;
	copy = palloc(sizeof(AiaasModel));
	*copy = *model;
	copy->algorithm = pstrdup(model->algorithm);
	copy->kind = pstrdup(model->kind);
	copy->task = pstrdup(model->task);
	copy->options = copy_jsonb(model->options);
	copy->features = copy_jsonb(model->features);
	if (model->needs != NULL)
		copy->needs = memcpy(palloc(AIAAS_HASH_SIZE), model->needs, AIAAS_HASH_SIZE);
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

static const Remembered *
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
	return it;
}

static AiaasPrivilege
needed_privilege(AiaasCallMode mode)
{
	return mode == AIAAS_CALL_READ ? AIAAS_READ : AIAAS_USE;
}

AiaasModel *
aiaas_resolve(const char *reference, AiaasCallMode mode)
{
	View		view = current_view();
	bool		is_known = TransactionIdIsValid(view.xmax);
	const Remembered *known = is_known ? recall(reference, mode, &view) : NULL;
	AiaasModel *model;

	if (known != NULL && known->model != NULL)
		return copy_model(known->model);
	if (mode == AIAAS_CALL_PINNED)
		model = aiaas_model_resolve_pin(reference);
	else
		model = aiaas_model_resolve(reference, needed_privilege(mode));
	if (is_known)
		(void) remember(reference, mode, &view, model);
	return model;
}

const AiaasModel *
aiaas_try_resolve(const char *reference, AiaasCallMode mode)
{
	View		view = current_view();
	const Remembered *known;
	AiaasModel *model;

	if (!TransactionIdIsValid(view.xmax))
		return NULL;
	known = recall(reference, mode, &view);
	if (known == NULL)
	{
		if (mode == AIAAS_CALL_PINNED)
			model = aiaas_model_find_pin(reference);
		else
			model = aiaas_model_find(reference, needed_privilege(mode));
		known = remember(reference, mode, &view, model);
	}
	return known->model;
}
