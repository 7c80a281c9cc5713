/*-------------------------------------------------------------------------
 * spill.c
 *		Temporary files for rows that memory does not hold.
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "pg/jobs/spill.h"

#include "pg/host/compat.h"
#include "pg/host/host.h"

typedef struct Spill
{
	const AiHost *host;
	MemoryContext context;		/* of the file */
	BufFile    *file;			/* NULL: nothing has come */
	uint64		size;			/* of the file */
	uint64		position;		/* where it would read or write */
} Spill;

typedef struct Transfer
{
	Spill	   *spill;
	uint64		offset;
	const void *source;			/* of a write */
	void	   *target;			/* of a read */
	size_t		size;
} Transfer;

static void
create_file(Spill *spill)
{
	MemoryContext caller = MemoryContextSwitchTo(spill->context);

	spill->file = BufFileCreateTemp(false);
	MemoryContextSwitchTo(caller);
}

/* Its segments of a gigabyte are counted by the file. */
static void
go_to(Spill *spill, uint64 offset)
{
	if (spill->position != offset &&
		BufFileSeek(spill->file, 0, (off_t) offset, SEEK_SET) != 0)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not seek in temporary file")));
	spill->position = offset;
}

static void
transfer(void *arg)
{
	Transfer   *t = arg;
	Spill	   *spill = t->spill;

	HOLD_INTERRUPTS();
	if (spill->file == NULL)
		create_file(spill);
	go_to(spill, t->offset);
	if (t->target != NULL)
		aiaas_buffile_read(spill->file, t->target, t->size);
	else
		BufFileWrite(spill->file, (void *) t->source, t->size);
	spill->position += t->size;
	spill->size = Max(spill->size, spill->position);
	RESUME_INTERRUPTS();
}

static bool
spill_append(void *ud, const void *bytes, size_t size)
{
	Spill	   *spill = ud;

	return aiaas_host_try(spill->host, transfer,
						  &(Transfer) {spill, spill->size, bytes, NULL, size});
}

static bool
spill_read(void *ud, uint64_t offset, void *bytes, size_t size)
{
	Spill	   *spill = ud;

	return aiaas_host_try(spill->host, transfer,
						  &(Transfer) {spill, offset, NULL, bytes, size});
}

void
aiaas_spill_init(AiSpill *spill, const AiHost *host)
{
	Spill	   *state = palloc0(sizeof(Spill));

	state->host = host;
	state->context = CurrentMemoryContext;
	*spill = (AiSpill) {spill_append, spill_read, state};
}

uint64
aiaas_spill_size(const AiSpill *spill)
{
	return ((const Spill *) spill->ud)->size;
}

void
aiaas_spill_close(AiSpill *spill)
{
	Spill	   *state = spill->ud;

	if (state->file != NULL)
		BufFileClose(state->file);
	state->file = NULL;
}
