/*-------------------------------------------------------------------------
 * limits.h
 *		Limits that a superuser sets on training and importing.
 *
 * aiaas.max_train_memory is the core's to keep, see text_classifier.h.
 *-------------------------------------------------------------------------
 */
#ifndef AIAAS_LIMITS_H
#define AIAAS_LIMITS_H

/* Raises program_limit_exceeded for a model above aiaas.max_model_bytes. */
extern void aiaas_check_model_size(uint64 n_bytes);

/*
 * Calls run(arg), which may take aiaas.max_train_time: then it is stopped as by
 * a cancel, wherever it is, and program_limit_exceeded is raised.
 */
extern void aiaas_run_in_time(void (*run) (void *arg), void *arg);

#endif							/* AIAAS_LIMITS_H */
