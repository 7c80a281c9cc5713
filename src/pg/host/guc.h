/*-------------------------------------------------------------------------
 * guc.h
 *		The settings aiaas.*
 *-------------------------------------------------------------------------
 */
#ifndef AIAAS_GUC_H
#define AIAAS_GUC_H

#define AIAAS_DEFAULT_CLASSIFIER "aiaas.default_classifier"
#define AIAAS_DEFAULT_EMBEDDER "aiaas.default_embedder"

/* The model references that were set, or empty strings; see catalog.h */
extern char *aiaas_default_classifier;
extern char *aiaas_default_embedder;

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
