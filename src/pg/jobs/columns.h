/*-------------------------------------------------------------------------
 * columns.h
 *		The columns of a user's query: which is the target, which hold texts.
 *-------------------------------------------------------------------------
 */
#ifndef AIAAS_COLUMNS_H
#define AIAAS_COLUMNS_H

#include "pg/jobs/select.h"

/* The one column called target; where target is NULL, the one whose name says that it is it */
extern int	aiaas_find_target(const AiaasSelect *select, const char *target);

/* Texts of all kinds, and domains over them */
extern bool aiaas_is_string_type(Oid type);

/* In the current memory context */
extern char *aiaas_column_name(const AiaasSelect *select, int index);
extern Oid	aiaas_column_type(const AiaasSelect *select, int index);

#endif							/* AIAAS_COLUMNS_H */
