/*-------------------------------------------------------------------------
 * guc.c
 *		The settings aiaas.*, sorted by name.
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include "pg/host/guc.h"

#include "access/parallel.h"
#include "core/base/pool.h"
#include "core/kernels/kernels.h"
#include "pg/host/compat.h"
#include "pg/host/cores.h"

bool		aiaas_batch;
char	   *aiaas_cache_directory;
int			aiaas_cache_size;
char	   *aiaas_default_model[AIAAS_N_DEFAULTS];
int			aiaas_max_batch_memory;
int			aiaas_max_input_bytes;
int			aiaas_max_model_bytes;
int			aiaas_max_train_memory;
int			aiaas_max_train_time;

static int	blas;
static int	cpu_level;
static int	max_threads;

static const struct config_enum_entry blas_choices[] = {
	{"auto", AI_BLAS_AUTO, false},
	{"own", AI_BLAS_OWN, false},
	{"openblas", AI_BLAS_OPENBLAS, false},
	{NULL, 0, false}
};

static void
assign_blas(int value, void *extra)
{
	(void) extra;
	ai_blas_select((AiBlas) value);
}

/* Values of aiaas.cpu_level: levels of the core, and the best of the machine */
#define CPU_LEVEL_AUTO AI_CPU_N_LEVELS

static const struct config_enum_entry cpu_levels[] = {
	{"auto", CPU_LEVEL_AUTO, false},
	{"portable", AI_CPU_PORTABLE, false},
	{"avx2", AI_CPU_AVX2, false},
	{"avx512", AI_CPU_AVX512, false},
	{NULL, 0, false}
};

static bool
check_cpu_level(int *value, void **extra, GucSource source)
{
	AiCpuLevel	best = ai_kernels_best_level();

	(void) extra;
	(void) source;
	if (*value == CPU_LEVEL_AUTO || *value <= (int) best)
		return true;
	GUC_check_errdetail("The best level of this machine is \"%s\".", ai_cpu_level_name(best));
	return false;
}

static void
assign_cpu_level(int value, void *extra)
{
	(void) extra;

	/* Cannot fail: the level has been checked. */
	(void) ai_kernels_select(value == CPU_LEVEL_AUTO ? ai_kernels_best_level() :
							 (AiCpuLevel) value, NULL);
}

static bool
check_cache_directory(char **value, void **extra, GucSource source)
{
	(void) extra;
	(void) source;
	canonicalize_path(*value);
	if (**value == '\0' || is_absolute_path(*value))
		return true;
	GUC_check_errdetail("The path must be absolute, or empty for the default place.");
	return false;
}

/* Four, so that one session leaves a larger machine to the others. */
static int
default_threads(void)
{
	return Min(aiaas_n_cores(), 4);
}

static const char *const default_names[AIAAS_N_DEFAULTS] = {
	[AIAAS_DEFAULT_CLASSIFIER] = "aiaas.default_classifier",
	[AIAAS_DEFAULT_EMBEDDER] = "aiaas.default_embedder",
	[AIAAS_DEFAULT_ZERO_SHOT] = "aiaas.default_zero_shot"
};

const char *
aiaas_default_name(AiaasDefault which)
{
	return default_names[which];
}

const char *
aiaas_default_find(AiaasDefault which)
{
	const char *reference = aiaas_default_model[which];

	if (which == AIAAS_DEFAULT_ZERO_SHOT && (reference == NULL || reference[0] == '\0'))
		reference = aiaas_default_model[AIAAS_DEFAULT_EMBEDDER];
	return reference != NULL ? reference : "";
}

static void
define_default(AiaasDefault which, const char *meaning)
{
	DefineCustomStringVariable(default_names[which], meaning,
							   "A name ('reviews') or a name and a version ('reviews@3').",
							   &aiaas_default_model[which], "",
							   PGC_USERSET, 0, NULL, NULL, NULL);
}

void
aiaas_guc_init(void)
{
	DefineCustomBoolVariable("aiaas.batch",
							 "Computes the calls of a statement in batches of rows.",
							 "The answers are the same without.",
							 &aiaas_batch, true, PGC_USERSET, 0, NULL, NULL, NULL);
	DefineCustomEnumVariable("aiaas.blas",
							 "Whose products of matrices networks use.",
							 "\"auto\" is OpenBLAS, if it is installed, on processors for which "
							 "aiaas has no products of its own, and its own on all others. "
							 "Both round in their own ways.",
							 &blas, AI_BLAS_AUTO, blas_choices,
							 PGC_SUSET, 0, NULL, assign_blas, NULL);
	DefineCustomStringVariable("aiaas.cache_directory",
							   "Directory of the files by which sessions share models.",
							   "Empty for a place among the server's temporary files.",
							   &aiaas_cache_directory, "",
							   PGC_SIGHUP, GUC_SUPERUSER_ONLY, check_cache_directory, NULL, NULL);
	DefineCustomIntVariable("aiaas.cache_size",
							"Space that the files of shared models may take; 0 means no limit.",
							"Files that were not used for longest are removed to make room.",
							&aiaas_cache_size, 4096, 0, INT_MAX,
							PGC_SIGHUP, GUC_UNIT_MB, NULL, NULL, NULL);
	DefineCustomEnumVariable("aiaas.cpu_level",
							 "Instructions of the processor that the kernels may use.",
							 "A level below the machine's best is for comparing machines: "
							 "each level rounds in its own way.",
							 &cpu_level, CPU_LEVEL_AUTO, cpu_levels,
							 PGC_SUSET, 0, check_cpu_level, assign_cpu_level, NULL);
	define_default(AIAAS_DEFAULT_CLASSIFIER, "Model that classifies where none is named.");
	define_default(AIAAS_DEFAULT_EMBEDDER,
				   "Model that embeds and tokenizes texts where none is named.");
	define_default(AIAAS_DEFAULT_ZERO_SHOT,
				   "Model that classifies by given labels where none is named; "
				   "else the default embedder does.");
	DefineCustomIntVariable("aiaas.max_batch_memory",
							"Memory that the rows of one batch may take.",
							"A batch ends with the row that reaches it.",
							&aiaas_max_batch_memory, 65536, 64, INT_MAX,
							PGC_SUSET, GUC_UNIT_KB, NULL, NULL, NULL);
	DefineCustomIntVariable("aiaas.max_input_bytes",
							"Length of the longest input that a model may be given; 0 means no limit.",
							"Of a text, an array or a bytea; of a row, that of all its columns "
							"which the model reads, but for single numbers.",
							&aiaas_max_input_bytes, 0, 0, INT_MAX,
							PGC_SUSET, GUC_UNIT_BYTE, NULL, NULL, NULL);
	DefineCustomIntVariable("aiaas.max_model_bytes",
							"Size of the largest model that may be trained or imported; "
							"0 means no limit.",
							NULL,
							&aiaas_max_model_bytes, 0, 0, INT_MAX,
							PGC_SUSET, GUC_UNIT_KB, NULL, NULL, NULL);
	DefineCustomIntVariable("aiaas.max_train_memory",
							"Memory that one training may use.",
							"A training that needs more fails before it starts to learn.",
							&aiaas_max_train_memory, 2048, 1, INT_MAX,
							PGC_SUSET, GUC_UNIT_MB, NULL, NULL, NULL);
	DefineCustomIntVariable("aiaas.max_train_time",
							"Time that one training may take; 0 means no limit.",
							"A training that takes longer fails and leaves nothing behind.",
							&aiaas_max_train_time, 0, 0, INT_MAX / 1000,
							PGC_SUSET, GUC_UNIT_S, NULL, NULL, NULL);
	DefineCustomIntVariable("aiaas.threads",
							"Threads that one call may use.",
							"The number changes the time that a call takes, never its result.",
							&max_threads, default_threads(), 1, AI_POOL_MAX_THREADS,
							PGC_USERSET, 0, NULL, NULL, NULL);
}

void
aiaas_guc_finish(void)
{
	MarkGUCPrefixReserved("aiaas");
}

int
aiaas_n_threads(void)
{
	return IsParallelWorker() ? 1 : max_threads;
}
