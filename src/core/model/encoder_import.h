/*-------------------------------------------------------------------------
 * encoder_import.h
 *		From a checkpoint to a stored encoder.
 *-------------------------------------------------------------------------
 */
#ifndef AI_ENCODER_IMPORT_H
#define AI_ENCODER_IMPORT_H

#include "core/format/aim.h"
#include "core/format/checkpoint.h"
#include "core/kernels/packed.h"

/*
 * checkpoint is open.  writer, which the caller has made for AI_ENCODER_KIND and frees, holds the
 * bytes.  An error names the file and what in it is wrong, missing or not built.
 */
extern AiCode ai_encoder_import(AiAimWriter *writer, const void **bytes, size_t *size,
								AiCheckpoint *checkpoint, AiPrecision precision, AiError *err);

#endif							/* AI_ENCODER_IMPORT_H */
