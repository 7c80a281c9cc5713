/*-------------------------------------------------------------------------
 * options.h
 *		Values from outside into a config, by a table of options, and back.
 *
 * Names that are wrong are answered by what they may have meant and by what fits.
 *-------------------------------------------------------------------------
 */
#ifndef AI_OPTIONS_H
#define AI_OPTIONS_H

#include "core/base/json.h"
#include "core/graph/layer.h"

#define AI_OPTION_MAX_CHOICES 32
#define AI_OPTION_NAME_SIZE 32	/* of a choice's name, with its end */

/* Everything that is not given; config is all zeros before */
extern void ai_options_initialise(void *config, const AiOption *options);

/* NULL: there is none of this name */
extern const AiOption *ai_option_find(const AiOption *options, const char *name);

/* Type and range are checked; AI_ERR_PARAM names the option and what fits. */
extern AiCode ai_option_set(void *config, const AiOption *option, const AiJson *value,
							AiError *err);

/* The index of a choice of this name; -1: there is none */
extern int	ai_option_choice(const AiOption *option, const char *name);

extern bool ai_option_is_initial(const void *config, const AiOption *option);
extern AiCode ai_option_write(AiBuf *buf, const void *config, const AiOption *option, AiError *err);

/*
 * Of names that are tried one by one, the one that a wrong name may have meant.  Case and
 * underscores do not count.
 */
typedef struct AiGuess
{
	const char *written;
	const char *meant;			/* NULL: nothing is near */
	int			distance;
} AiGuess;

extern void ai_guess_init(AiGuess *guess, const char *written);

/* name stands for meant, mostly itself */
extern void ai_guess_try(AiGuess *guess, const char *name, const char *meant);

/* Names as a sentence lists them: "a", "b", "c".  What does not fit is left out. */
typedef struct AiNameList
{
	char		text[400];
	size_t		len;
} AiNameList;

extern void ai_name_list_add(AiNameList *list, const char *name);

/* 'Perhaps you meant "x". ' and what fits, as a hint; both parts may be missing */
extern void ai_hint_names(AiError *err, const AiGuess *guess, const char *what,
						  const AiNameList *list);

#endif							/* AI_OPTIONS_H */
