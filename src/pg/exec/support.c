/*-------------------------------------------------------------------------
 * support.c
 *		aiaas.support: what a call costs, asked by the planner.
 *
 * The time of a call depends on the model, which may be linear or have many layers,
 * and on the length of the input.  Both are known to the planner more often than not:
 * the model is a constant or a setting, the input a column with statistics.  Where
 * they are not, the function's COST stands.
 *
 * Planning must not fail for what only running a call would raise, so nothing here
 * raises for a model that is missing, and one that is hidden from the user costs the
 * same as one that does not exist.
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "pg/exec/cost.h"

#include "access/detoast.h"
#include "fmgr.h"
#include "nodes/nodeFuncs.h"
#include "nodes/pathnodes.h"
#include "nodes/supportnodes.h"
#include "optimizer/optimizer.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "pg/engine/features.h"
#include "pg/exec/exec_internal.h"
#include "pg/host/compat.h"
#include "pg/host/guc.h"

/*
 * The planner's unit is a page read in sequence, and cpu_operator_cost what a cheap
 * operator takes in it.  With the defaults a scan of cached pages runs at some
 * 200,000 units a second, by which an operator takes 12.5 ns: that is what it takes,
 * within a factor of two, on the machines of today.  So 3 us are 240 operators.
 */
#define SECONDS_PER_OPERATOR 12.5e-9

PGDLLEXPORT PG_FUNCTION_INFO_V1(aiaas_support);

uint64		aiaas_n_support_requests = 0;

/* The reference or pin of a call, or NULL while it is not known */
static const char *
find_reference(const AiaasVerb *verb, const FuncExpr *call)
{
	Const	   *constant;

	if (list_length(call->args) <= verb->model.arg)
		return *aiaas_default_find(verb->model.setting) != '\0' ?
			aiaas_default_find(verb->model.setting) :
			NULL;
	constant = list_nth(call->args, verb->model.arg);
	if (!IsA(constant, Const) || constant->constisnull || constant->consttype != TEXTOID)
		return NULL;
	return TextDatumGetCString(constant->constvalue);
}

const AiaasModel *
aiaas_planned_model(const FuncExpr *call)
{
	const AiaasVerb *verb = aiaas_recognise(call->funcid);
	const char *reference = verb != NULL && verb->cost != NULL ? find_reference(verb, call) : NULL;

	return reference != NULL ? aiaas_try_resolve(reference, verb->model.mode) : NULL;
}

/* What is under casts that leave a value as it is */
static Node *
strip_casts(Node *node)
{
	for (;;)
	{
		switch (nodeTag(node))
		{
			case T_RelabelType:
				node = (Node *) ((RelabelType *) node)->arg;
				break;
			case T_CollateExpr:
				node = (Node *) ((CollateExpr *) node)->arg;
				break;
			case T_CoerceToDomain:
				node = (Node *) ((CoerceToDomain *) node)->arg;
				break;
			case T_ConvertRowtypeExpr:
				node = (Node *) ((ConvertRowtypeExpr *) node)->arg;
				break;
			case T_PlaceHolderVar:
				node = (Node *) ((PlaceHolderVar *) node)->phexpr;
				break;
			default:
				return node;
		}
	}
}

/* The average bytes of an input.  Statistics take what is out of line for its pointer. */
static int32
input_width(const FuncExpr *call, const AiaasModel *model, AiaasVarWidth width, void *arg)
{
	Node	   *input = strip_casts(linitial(call->args));
	int32		known = 0;

	if (IsA(input, Var))
		known = width(arg, (Var *) input, ((Var *) input)->varattno != InvalidAttrNumber ? NULL :
					  aiaas_features_find_column(model->features));
	else if (IsA(input, Const) && ((Const *) input)->constlen == -1 &&
			 !((Const *) input)->constisnull)
		known = (int32) toast_raw_datum_size(((Const *) input)->constvalue);
	return known > 0 ? known : get_typavgwidth(exprType(input), exprTypmod(input));
}

bool
aiaas_call_cost(Cost *cost, const FuncExpr *call, AiaasVarWidth width, void *arg)
{
	const AiaasModel *model = aiaas_planned_model(call);
	AiaasVerbCost seconds;

	if (model == NULL)
		return false;
	aiaas_recognise(call->funcid)->cost(model, &seconds);
	*cost = (seconds.per_row + seconds.per_byte * input_width(call, model, width, arg)) /
		SECONDS_PER_OPERATOR * cpu_operator_cost;
	return true;
}

/* From what the planner has found out so far, or else from the statistics */
static int32
planner_width(void *arg, const Var *var, const char *name)
{
	PlannerInfo *root = arg;
	RelOptInfo *rel;
	RangeTblEntry *entry;
	AttrNumber	number = var->varattno;

	if (root == NULL || var->varlevelsup > 0 || IS_SPECIAL_VARNO(var->varno) ||
		(int) var->varno >= root->simple_rel_array_size)
		return 0;
	rel = root->simple_rel_array[var->varno];
	entry = root->simple_rte_array[var->varno];
	if (number == InvalidAttrNumber && name != NULL && entry->rtekind == RTE_RELATION)
		number = get_attnum(entry->relid, name);
	if (number <= 0)
		return 0;
	if (rel != NULL && rel->attr_widths != NULL && number <= rel->max_attr &&
		rel->attr_widths[number - rel->min_attr] > 0)
		return rel->attr_widths[number - rel->min_attr];
	return entry->rtekind == RTE_RELATION ? get_attavgwidth(entry->relid, number) : 0;
}

Datum
aiaas_support(PG_FUNCTION_ARGS)
{
	Node	   *request = (Node *) PG_GETARG_POINTER(0);
	SupportRequestCost *wanted = (SupportRequestCost *) request;

	aiaas_n_support_requests++;
	if (IsA(request, SupportRequestCost) && wanted->node != NULL &&
		IsA(wanted->node, FuncExpr) &&
		aiaas_call_cost(&wanted->per_tuple, (FuncExpr *) wanted->node, planner_width,
						wanted->root))
		PG_RETURN_POINTER(request);
	PG_RETURN_POINTER(NULL);
}
