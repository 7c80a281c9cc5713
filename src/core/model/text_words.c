/*-------------------------------------------------------------------------
 * text_words.c
 *		What a model knows of single words, remembered.
 *
 * A hash table over a store that is filled in order.  A word that hashes to the
 * slot of another takes it.  When the store is full, all is forgotten: the
 * frequent words are soon back.
 *-------------------------------------------------------------------------
 */
#include "core/model/text_words.h"

#include <string.h>

#define SLOT_BITS 14
#define SLOTS_SIZE (sizeof(uint32_t) << SLOT_BITS)
#define SLOT_FACTOR UINT64_C(0x9E3779B97F4A7C15)	/* 2^64 over the golden ratio */

#define UNIT sizeof(AiFourChars)
#define STORE_UNITS ((size_t) 1 << 16)
#define WORD_UNITS (sizeof(AiTextWord) / UNIT)

/* Units of a word of so many characters and so many of their n-grams */
#define UNITS_OF(len, n_chars) (WORD_UNITS + AI_N_FOURS(len) + AI_N_FOURS(n_chars))

typedef uint8_t FourKinds __attribute__((vector_size(4)));

struct AiTextWords
{
	const AiHost *host;			/* borrowed */
	const AiTextKnown *known;	/* borrowed */
	const AiNgramReader *ngrams;	/* borrowed */
	uint32_t   *slots;			/* [1 << SLOT_BITS] place in store, from 1; 0: free */
	AiFourChars *store;			/* [STORE_UNITS] */
	size_t		used;
	AiTextWord *long_word;		/* in which one is built that is too long to be kept */
	uint64_t	hash[AI_NGRAM_MAX_RUN_CHARS];
};

AiCode
ai_text_words_create(AiTextWords **words, const AiTextKnown *known,
					 const AiNgramReader *ngrams, const AiHost *host, AiError *err)
{
	size_t		long_size = UNITS_OF(AI_NGRAM_MAX_TOKEN, AI_NGRAM_MAX_RUN_CHARS) * UNIT;
	AiTextWords *w = ai_host_alloc(host, sizeof(AiTextWords));

	if (w == NULL)
		return ai_out_of_memory(err, sizeof(AiTextWords), "words");
	w->host = host;
	w->known = known;
	w->ngrams = ngrams;
	w->used = 0;
	w->slots = ai_host_alloc(host, SLOTS_SIZE);
	w->store = ai_host_alloc(host, STORE_UNITS * UNIT);
	w->long_word = ai_host_alloc(host, long_size);
	if (w->slots == NULL || w->store == NULL || w->long_word == NULL)
	{
		ai_text_words_destroy(w);
		return ai_out_of_memory(err, SLOTS_SIZE + STORE_UNITS * UNIT + long_size, "words");
	}
	memset(w->slots, 0, SLOTS_SIZE);
	*words = w;
	return AI_OK;
}

void
ai_text_words_destroy(AiTextWords *words)
{
	if (words == NULL)
		return;
	ai_host_release(words->host, words->slots);
	ai_host_release(words->host, words->store);
	ai_host_release(words->host, words->long_word);
	ai_host_release(words->host, words);
}

/* Pack the word's characters, and find its slot. */
static void
find_place(const AiTextWords *words, AiTextWordPlace *place, const AiNgramRun *token)
{
	static const AiFourChars in_last[4] = { /* by length modulo 4 */
		{-1, -1, -1, -1}, {-1, 0, 0, 0}, {-1, -1, 0, 0}, {-1, -1, -1, 0}
	};
	size_t		n = AI_N_FOURS(token->len);
	uint64_t	pairs[2];
	uint64_t	h = 0;

	for (size_t i = 0; i < n; i++)
	{
		AiFourChars code;
		FourKinds	kind;

		memcpy(&code, token->code + 4 * i, sizeof(code));
		memcpy(&kind, token->kind + 4 * i, sizeof(kind));
		place->packed[i] = code | __builtin_convertvector(kind, AiFourChars) << 24;
	}
	place->packed[n - 1] &= in_last[token->len % 4];
	for (size_t i = 0; i < n; i++)
	{
		memcpy(pairs, &place->packed[i], sizeof(pairs));
		h = (h ^ pairs[0]) * SLOT_FACTOR;
		h = (h ^ pairs[1]) * SLOT_FACTOR;
	}
	place->slot = &words->slots[h >> (64 - SLOT_BITS)];
}

/* Each step asks for the memory of the next. */
void
ai_text_words_look_ahead(AiTextWords *words, AiTextWordPlace *places, const AiNgramRun *runs,
						 size_t n)
{
	for (size_t i = 0; i < n; i++)
	{
		places[i].slot = NULL;
		if (runs[i].is_one_token && runs[i].len <= AI_TEXT_WORD_MAX_LEN)
		{
			find_place(words, &places[i], &runs[i]);
			__builtin_prefetch(places[i].slot);
		}
	}
	for (size_t i = 0; i < n; i++)
	{
		uint32_t   *slot = places[i].slot;

		if (slot != NULL && *slot != 0)
		{
			__builtin_prefetch(&words->store[*slot - 1]);
			__builtin_prefetch(&words->store[*slot - 1 + 64 / UNIT]);
		}
	}
}

/* The word that is kept in this place, or NULL */
static inline const AiTextWord *
kept_word(const AiTextWords *words, const AiTextWordPlace *place, size_t len)
{
	const AiTextWord *word;
	AiFourChars difference = {0};
	uint64_t	half[2];

	if (*place->slot == 0)
		return NULL;
	word = (AiTextWord *) &words->store[*place->slot - 1];
	if (word->len != len)
		return NULL;
	for (size_t i = 0; i < AI_N_FOURS(len); i++)
		difference |= word->data[i] ^ place->packed[i];
	memcpy(half, &difference, sizeof(half));
	return (half[0] | half[1]) == 0 ? word : NULL;
}

/* Fill all of the word except its characters. */
static void
look_up(AiTextWords *words, AiTextWord *word, const AiNgramRun *token)
{
	const AiTextTable *table = &words->known->table;
	const AiNgramOptions *options = &words->known->options;
	uint32_t   *numbers = (uint32_t *) (word->data + AI_N_FOURS(token->len));
	uint64_t	of_word;
	uint64_t	of_shape;
	size_t		n;

	word->len = (uint32_t) token->len;
	word->token = ai_ngram_token(token->code, token->kind, token->len);
	of_word = ai_ngram_word(&word->token);
	of_shape = ai_ngram_shape(&word->token);
	ai_text_table_ask(table, of_word);
	ai_text_table_ask(table, of_shape);
	n = ai_ngram_chars(words->ngrams, token, words->hash);
	word->n_chars = (uint32_t) ai_text_table_find_known(table, numbers, words->hash, n);
	word->word = options->word_max > 0 ? ai_text_table_find(table, of_word) : 0;
	word->shape = options->has_shapes ? ai_text_table_find(table, of_shape) : 0;
}

/* Look up a word that is not kept, and keep it. */
static const AiTextWord *
keep_word(AiTextWords *words, const AiTextWordPlace *place, const AiNgramRun *token)
{
	AiTextWord *word;

	if (words->used + UNITS_OF(token->len, (token->len + 2) * AI_NGRAM_MAX_CHARS) > STORE_UNITS)
	{
		memset(words->slots, 0, SLOTS_SIZE);
		words->used = 0;
	}
	*place->slot = (uint32_t) words->used + 1;
	word = (AiTextWord *) &words->store[words->used];
	memcpy(word->data, place->packed, AI_N_FOURS(token->len) * UNIT);
	look_up(words, word, token);
	words->used += UNITS_OF(token->len, word->n_chars);
	return word;
}

const AiTextWord *
ai_text_words_get(AiTextWords *words, const AiTextWordPlace *place, const AiNgramRun *token)
{
	const AiTextWord *word;

	if (place->slot == NULL)
	{
		look_up(words, words->long_word, token);
		return words->long_word;
	}
	word = kept_word(words, place, token->len);
	return word != NULL ? word : keep_word(words, place, token);
}
