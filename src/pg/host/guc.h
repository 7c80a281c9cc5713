/*-------------------------------------------------------------------------
 * guc.h
 *		The settings aiaas.*
 *-------------------------------------------------------------------------
 */
#ifndef AIAAS_GUC_H
#define AIAAS_GUC_H

/* Settings that name the model which a function uses where none is named */
typedef enum AiaasDefault
{
	AIAAS_DEFAULT_CLASSIFIER,
	AIAAS_DEFAULT_EMBEDDER,
	AIAAS_DEFAULT_ZERO_SHOT,
	AIAAS_N_DEFAULTS
} AiaasDefault;

/* The model references that were set, or empty strings; see catalog.h */
extern char *aiaas_default_model[AIAAS_N_DEFAULTS];

/* "aiaas.default_classifier" */
extern const char *aiaas_default_name(AiaasDefault which);

/* The reference that counts, or an empty string: where none is set for zero-shot, the embedder's */
extern const char *aiaas_default_find(AiaasDefault which);

/* Files that all sessions share, see pg/cache; an empty directory is the default place */
extern char *aiaas_cache_directory;
extern int	aiaas_cache_size;	/* MB; 0: no limit */

/* Whether calls are computed in batches, and what the rows of one may take */
extern bool aiaas_batch;
extern int	aiaas_max_batch_memory; /* kB */

/* Superuser limits; 0: none */
extern int	aiaas_max_input_bytes;	/* of one input of a model */
extern int	aiaas_max_model_bytes;	/* kB; of a model that is trained or imported */

/* Superuser limits on one call of ai_train() */
extern int	aiaas_max_train_memory; /* MB */
extern int	aiaas_max_train_time;	/* seconds; 0: none */

/* Called from _PG_init(), first and last: between them others may define settings. */
extern void aiaas_guc_init(void);
extern void aiaas_guc_finish(void);

/* Threads that a call may use, the backend's own among them; 1 in a parallel worker */
extern int	aiaas_n_threads(void);

#endif							/* AIAAS_GUC_H */
