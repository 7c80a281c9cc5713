/*-------------------------------------------------------------------------
 * samples.h
 *		The rows of a training: kept while they come in, then read in any order.
 *
 * A sample is a record of fixed size: what goes in, then what is to come out.  Once all are
 * there they have a canonical order, by a hash of the row's content that is given with it,
 * so a training does not depend on the order in which the rows came.  What exceeds the
 * memory goes to a file of the host's; only the main thread reads that.
 *-------------------------------------------------------------------------
 */
#ifndef AI_SAMPLES_H
#define AI_SAMPLES_H

#include "core/base/arena.h"
#include "core/train/spill.h"

typedef struct AiSamples AiSamples;

/*
 * max_memory: of all records together and what is kept about them, bytes.  spill NULL:
 * AI_ERR_LIMIT when that is full.
 */
extern AiCode ai_samples_create(AiSamples **samples, const AiHost *host, size_t record_size,
								size_t max_memory, const AiSpill *spill, AiError *err);
extern void ai_samples_destroy(AiSamples *samples);

/*
 * Room for one record more, to be filled before the next call.  Rows whose hashes are equal
 * are ordered by their records, so different ones must differ there.
 */
extern AiCode ai_samples_add(AiSamples *samples, void **record, uint64_t hash,
							 bool is_validation, AiError *err);

/* All are there: put them in order. */
extern AiCode ai_samples_finish(AiSamples *samples, AiError *err);

/* After finish; those that train and those that validate are numbered from 0 each. */
extern int64_t ai_samples_n(const AiSamples *samples, bool is_validation);

extern size_t ai_samples_record_size(const AiSamples *samples);

/* Bytes that it holds */
extern size_t ai_samples_memory(const AiSamples *samples);

/* Can ai_samples_get() be used? */
extern bool ai_samples_are_in_memory(const AiSamples *samples);

/* A record in memory, from any thread */
extern const void *ai_samples_get(const AiSamples *samples, bool is_validation, int64_t number);

/* records:[n, record_size] of these numbers, wherever they are; AI_ERR_DATA: the file failed */
extern AiCode ai_samples_read(const AiSamples *samples, bool is_validation,
							  const int64_t *numbers, int n, void *records, AiError *err);

#endif							/* AI_SAMPLES_H */
