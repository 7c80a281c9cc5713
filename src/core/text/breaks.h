/*-------------------------------------------------------------------------
 * breaks.h
 *		Where a text may be cut: at sentences, words and characters of any script.
 *
 *	sentences	as Unicode's UAX #29, section 5, says with the tables of version 15.0.0: all
 *				rules, and nothing beside them.  So a line's end is a sentence's end; of
 *				abbreviations it is only known that a lower-case letter follows.
 *	words		begin behind white space.  Letters of scripts that are written without
 *				spaces (AI_CHAR_IDEOGRAPH of unicode.h) are each a word, with the
 *				punctuation behind them.
 *	characters	are with the marks and joiners that belong to them.
 *
 * Texts are UTF-8; a byte that no valid character contains is a character by itself.
 *-------------------------------------------------------------------------
 */
#ifndef AI_BREAKS_H
#define AI_BREAKS_H

#include "core/base/host.h"

/* The property White_Space */
extern bool ai_is_space(uint32_t code);

/* Whether a word or character begins between these two characters */
extern bool ai_begins_word(uint32_t before, uint32_t code);
extern bool ai_begins_character(uint32_t before, uint32_t code);

/*
 * The end of the sentence that begins at start, which is the text's begin or another
 * sentence's end, and less than len.  Fails by AI_ERR_CANCELLED only.
 */
extern AiCode ai_sentence_end(size_t *end, const char *text, size_t len, size_t start,
							  const AiHost *host, AiError *err);

#endif							/* AI_BREAKS_H */
