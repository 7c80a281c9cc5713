/*-------------------------------------------------------------------------
 * compat.h
 *		The one place that knows what differs between server versions 14 to 18.
 *
 * Include it after postgres.h; elsewhere nobody asks for PG_VERSION_NUM.
 *-------------------------------------------------------------------------
 */
#ifndef AIAAS_COMPAT_H
#define AIAAS_COMPAT_H

#include "catalog/pg_proc.h"
#include "commands/explain.h"
#include "miscadmin.h"
#include "nodes/plannodes.h"
#include "storage/buffile.h"
#include "storage/lock.h"
#include "storage/proc.h"
#include "utils/acl.h"
#include "utils/guc.h"
#include "utils/wait_event.h"

#if PG_VERSION_NUM < 140000
#error "aiaas needs PostgreSQL 14 or later"
#endif

/* 16: varlena macros moved out of postgres.h */
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

/* 15: a prefix of settings can be closed to misspelt names */
#if PG_VERSION_NUM < 150000
#define MarkGUCPrefixReserved(prefix) EmitWarningsOnPlaceholders(prefix)
#endif

/* 16: who is a member of a role is not always allowed to become it */
static inline bool
aiaas_can_set_role(Oid member, Oid role)
{
#if PG_VERSION_NUM >= 160000
	return member_can_set_role(member, role);
#else
	return is_member_of_role(member, role);
#endif
}

/* 17: transaction_timeout, which has a flag of its own */
static inline bool
aiaas_is_transaction_timed_out(void)
{
#if PG_VERSION_NUM >= 170000
	return TransactionTimeoutPending != 0;
#else
	return false;
#endif
}

/* 17: a process's virtual transaction id became a struct */
static inline LocalTransactionId
aiaas_local_transaction_id(void)
{
#if PG_VERSION_NUM >= 170000
	return MyProc->vxid.lxid;
#else
	return MyProc->lxid;
#endif
}

/* 17: asks whether a stronger lock will do */
static inline bool
aiaas_is_lock_held(const LOCKTAG *tag, LOCKMODE mode)
{
#if PG_VERSION_NUM >= 170000
	return LockHeldByMe(tag, mode, false);
#else
	return LockHeldByMe(tag, mode);
#endif
}

/* 15: a window function can end its scan early, by conditions on the target list's columns */
static inline bool
aiaas_has_run_condition(const WindowAgg *plan)
{
#if PG_VERSION_NUM >= 150000
	return plan->runCondition != NIL;
#else
	return false;
#endif
}

/* 16: one function for the rights on all kinds of objects */
static inline AclResult
aiaas_function_aclcheck(Oid function, Oid user)
{
#if PG_VERSION_NUM >= 160000
	return object_aclcheck(ProcedureRelationId, function, user, ACL_EXECUTE);
#else
	return pg_proc_aclcheck(function, user, ACL_EXECUTE);
#endif
}

/* 18: explaining has a header of its own for its properties */
#if PG_VERSION_NUM >= 180000
#include "commands/explain_format.h"
#include "commands/explain_state.h"
#endif

/* 17: extensions name what they wait for; may raise when there are too many */
static inline uint32
aiaas_wait_event(const char *name)
{
#if PG_VERSION_NUM >= 170000
	return WaitEventExtensionNew(name);
#else
	(void) name;
	return PG_WAIT_EXTENSION;
#endif
}

/* 16: reading says by itself when the file is too short */
static inline void
aiaas_buffile_read(BufFile *file, void *bytes, size_t size)
{
#if PG_VERSION_NUM >= 160000
	BufFileReadExact(file, bytes, size);
#else
	if (BufFileRead(file, bytes, size) != size)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not read from temporary file")));
#endif
}

#endif							/* AIAAS_COMPAT_H */
