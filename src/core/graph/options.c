/*-------------------------------------------------------------------------
 * options.c
 *		Values from outside into a config, by a table of options, and back.
 *-------------------------------------------------------------------------
 */
#include "core/graph/options.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define MAX_GUESSED 40			/* letters of a name that is compared */

/*
 * Names
 */

/* Small letters and digits of a name; how many, at most MAX_GUESSED */
static int
plain_letters(char *letters, const char *name)
{
	int			n = 0;

	for (; *name != '\0' && n < MAX_GUESSED; name++)
	{
		char		c = *name;

		if (c >= 'A' && c <= 'Z')
			letters[n++] = (char) (c - 'A' + 'a');
		else if (c != '_' && c != '-' && c != ' ')
			letters[n++] = c;
	}
	return n;
}

/* How many letters have to be changed, put in or left out (Levenshtein) */
static int
letter_distance(const char *a, int n_a, const char *b, int n_b)
{
	int			row[MAX_GUESSED + 1];

	for (int j = 0; j <= n_b; j++)
		row[j] = j;
	for (int i = 1; i <= n_a; i++)
	{
		int			diagonal = row[0];

		row[0] = i;
		for (int j = 1; j <= n_b; j++)
		{
			int			best = diagonal + (a[i - 1] != b[j - 1]);

			diagonal = row[j];
			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			row[j] = best;
		}
	}
	return row[n_b];
}

void
ai_guess_init(AiGuess *guess, const char *written)
{
	*guess = (AiGuess) {.written = written, .distance = MAX_GUESSED};
}

void
ai_guess_try(AiGuess *guess, const char *name, const char *meant)
{
	char		a[MAX_GUESSED];
	char		b[MAX_GUESSED];
	int			n_a = plain_letters(a, guess->written);
	int			n_b = plain_letters(b, name);
	int			distance = letter_distance(a, n_a, b, n_b);

	/* the beginning of a name is near, too */
	if (n_a >= 3 && n_a < n_b && memcmp(a, b, (size_t) n_a) == 0)
		distance = 1;
	if (distance > (n_a + 1) / 3 || distance >= guess->distance)
		return;
	guess->meant = meant;
	guess->distance = distance;
}

void
ai_name_list_add(AiNameList *list, const char *name)
{
	size_t		room = sizeof(list->text) - list->len;
	int			len = snprintf(list->text + list->len, room, "%s\"%s\"",
							   list->len > 0 ? ", " : "", name);

	if (len > 0 && (size_t) len < room)
		list->len += (size_t) len;
	else
		list->text[list->len] = '\0';
}

void
ai_hint_names(AiError *err, const AiGuess *guess, const char *what, const AiNameList *list)
{
	char		meant[128] = "";

	if (guess->meant != NULL)
		snprintf(meant, sizeof(meant), "Perhaps you meant \"%s\".%s", guess->meant,
				 list->len > 0 ? " " : "");
	if (list->len > 0)
		ai_hint(err, "%s%s %s.", meant, what, list->text);
	else
		ai_hint(err, "%s", meant);
}

/*
 * Choices; one may have several names, "silu|swish", of which the first one is written
 */
static size_t
first_name_len(const char *names)
{
	return strcspn(names, "|");
}

static void
copy_first_name(char name[AI_OPTION_NAME_SIZE], const char *names)
{
	snprintf(name, AI_OPTION_NAME_SIZE, "%.*s", (int) first_name_len(names), names);
}

int
ai_option_choice(const AiOption *option, const char *name)
{
	size_t		len = strlen(name);

	for (int i = 0; option->choices[i] != NULL; i++)
	{
		const char *at = option->choices[i];

		for (;;)
		{
			size_t		n = first_name_len(at);

			if (n == len && memcmp(at, name, n) == 0)
				return i;
			if (at[n] == '\0')
				break;
			at += n + 1;
		}
	}
	return -1;
}

static AiCode
reject_choice(const AiOption *option, const char *name, AiError *err)
{
	char		names[AI_OPTION_MAX_CHOICES][AI_OPTION_NAME_SIZE];
	AiNameList	list = {.len = 0};
	AiGuess		guess;

	ai_guess_init(&guess, name);
	for (int i = 0; i < AI_OPTION_MAX_CHOICES && option->choices[i] != NULL; i++)
	{
		copy_first_name(names[i], option->choices[i]);
		ai_guess_try(&guess, names[i], names[i]);
		ai_name_list_add(&list, names[i]);
	}
	ai_fail(err, AI_ERR_PARAM, "option \"%s\" cannot be \"%s\"", option->name, name);
	ai_hint_names(err, &guess, "It is one of", &list);
	return AI_ERR_PARAM;
}

/*
 * Options
 */
static void *
place_of(void *config, const AiOption *option)
{
	return (char *) config + option->offset;
}

static const void *
value_of(const void *config, const AiOption *option)
{
	return (const char *) config + option->offset;
}

void
ai_options_initialise(void *config, const AiOption *options)
{
	for (const AiOption *o = options; o->name != NULL; o++)
	{
		void	   *place = place_of(config, o);

		switch (o->kind)
		{
			case AI_OPTION_INT:
				*(int64_t *) place = (int64_t) o->initial;
				break;
			case AI_OPTION_FLOAT:
				*(double *) place = o->initial;
				break;
			case AI_OPTION_BOOL:
				*(bool *) place = o->initial != 0;
				break;
			case AI_OPTION_CHOICE:
				*(int *) place = (int) o->initial;
				break;
			case AI_OPTION_SIZES:
				*(AiSizes *) place = (AiSizes) {.n = 0};
				break;
		}
	}
}

const AiOption *
ai_option_find(const AiOption *options, const char *name)
{
	for (const AiOption *o = options; o->name != NULL; o++)
	{
		if (strcmp(o->name, name) == 0)
			return o;
	}
	return NULL;
}

static AiCode
reject_value(const AiOption *option, const char *expected, const AiJson *value, AiError *err)
{
	return ai_fail(err, AI_ERR_PARAM, "option \"%s\" must be %s, not %s", option->name, expected,
				   ai_json_kind_name(value));
}

static AiCode
get_number(double *number, const AiOption *option, const AiJson *value, const char *expected,
		   AiError *err)
{
	if (value->kind != AI_JSON_NUMBER)
		return reject_value(option, expected, value, err);
	*number = value->number;
	if (option->kind != AI_OPTION_FLOAT && *number != trunc(*number))
		return ai_fail(err, AI_ERR_PARAM, "option \"%s\" must be %s, not %.12g", option->name,
					   expected, *number);
	if (!(*number >= option->min && *number <= option->max))
		return ai_fail(err, AI_ERR_PARAM, "option \"%s\" must be between %.12g and %.12g, not %.12g",
					   option->name, option->min, option->max, *number);
	return AI_OK;
}

static AiCode
set_sizes(AiSizes *sizes, const AiOption *option, const AiJson *value, AiError *err)
{
	static const char expected[] = "a whole number or a list of them";
	bool		is_list = value->kind == AI_JSON_ARRAY;
	int			n = is_list ? value->n : 1;
	AiSizes		found = {.n = n};

	if (n < 1 || n > AI_SHAPE_MAX_DIMS)
		return ai_fail(err, AI_ERR_PARAM, "option \"%s\" must have 1 to %d numbers, not %d",
					   option->name, AI_SHAPE_MAX_DIMS, n);
	for (int i = 0; i < n; i++)
	{
		double		number;

		AI_TRY(get_number(&number, option, is_list ? &value->items[i] : value, expected, err));
		found.size[i] = (int64_t) number;
	}
	*sizes = found;
	return AI_OK;
}

AiCode
ai_option_set(void *config, const AiOption *option, const AiJson *value, AiError *err)
{
	void	   *place = place_of(config, option);
	double		number;

	switch (option->kind)
	{
		case AI_OPTION_INT:
			AI_TRY(get_number(&number, option, value, "a whole number", err));
			*(int64_t *) place = (int64_t) number;
			break;
		case AI_OPTION_FLOAT:
			AI_TRY(get_number(&number, option, value, "a number", err));
			*(double *) place = number;
			break;
		case AI_OPTION_BOOL:
			if (value->kind != AI_JSON_BOOL)
				return reject_value(option, "true or false", value, err);
			*(bool *) place = value->truth;
			break;
		case AI_OPTION_CHOICE:
			if (value->kind != AI_JSON_STRING)
				return reject_value(option, "a string", value, err);
			*(int *) place = ai_option_choice(option, value->string);
			if (*(int *) place < 0)
				return reject_choice(option, value->string, err);
			break;
		case AI_OPTION_SIZES:
			return set_sizes(place, option, value, err);
	}
	return AI_OK;
}

bool
ai_option_is_initial(const void *config, const AiOption *option)
{
	const void *value = value_of(config, option);

	switch (option->kind)
	{
		case AI_OPTION_INT:
			return *(const int64_t *) value == (int64_t) option->initial;
		case AI_OPTION_FLOAT:
			return *(const double *) value == option->initial;
		case AI_OPTION_BOOL:
			return *(const bool *) value == (option->initial != 0);
		case AI_OPTION_CHOICE:
			return *(const int *) value == (int) option->initial;
		case AI_OPTION_SIZES:
			break;
	}
	return ((const AiSizes *) value)->n == 0;
}

static AiCode
write_sizes(AiBuf *buf, const AiSizes *sizes, AiError *err)
{
	if (sizes->n == 1)
		return ai_json_write_number(buf, (double) sizes->size[0], err);
	for (int i = 0; i < sizes->n; i++)
	{
		AI_TRY(ai_json_write(buf, i == 0 ? "[" : ",", err));
		AI_TRY(ai_json_write_number(buf, (double) sizes->size[i], err));
	}
	return ai_json_write(buf, "]", err);
}

AiCode
ai_option_write(AiBuf *buf, const void *config, const AiOption *option, AiError *err)
{
	const void *value = value_of(config, option);
	char		name[AI_OPTION_NAME_SIZE];

	switch (option->kind)
	{
		case AI_OPTION_INT:
			return ai_json_write_number(buf, (double) *(const int64_t *) value, err);
		case AI_OPTION_FLOAT:
			return ai_json_write_number(buf, *(const double *) value, err);
		case AI_OPTION_BOOL:
			return ai_json_write(buf, *(const bool *) value ? "true" : "false", err);
		case AI_OPTION_CHOICE:
			copy_first_name(name, option->choices[*(const int *) value]);
			return ai_json_write_string(buf, name, err);
		case AI_OPTION_SIZES:
			break;
	}
	return write_sizes(buf, value, err);
}
