/*-------------------------------------------------------------------------
 * sample_texts.h
 *		Texts on which models are compared where the user gives none.
 *-------------------------------------------------------------------------
 */
#ifndef AIAAS_SAMPLE_TEXTS_H
#define AIAAS_SAMPLE_TEXTS_H

/* UTF-8, short and long, of several languages and scripts; NULL at the end */
extern const char *const aiaas_sample_texts[];

#endif							/* AIAAS_SAMPLE_TEXTS_H */
