/*-------------------------------------------------------------------------
 * tokenizer_build.h
 *		A tokenizer while it is put together from files.
 *
 * tokenizer_json.c and tokenizer_files.c read files into a TokenizerPlan; tokenizer_build.c
 * makes the block of it.  Its own room's header: see tokenizer.h.
 *-------------------------------------------------------------------------
 */
#ifndef AI_TOKENIZER_BUILD_H
#define AI_TOKENIZER_BUILD_H

#include "core/base/arena.h"
#include "core/base/json.h"
#include "core/text/tokenizer_internal.h"

typedef struct PlanPiece
{
	const char *bytes;			/* NULL: no such id */
	size_t		len;
	bool		is_model;		/* of the model's vocabulary, not only an added token */
} PlanPiece;

typedef struct PlanMerge
{
	const char *left;
	size_t		left_len;
	const char *right;
	size_t		right_len;
} PlanMerge;

typedef struct PlanAdded
{
	const char *content;
	uint32_t	flags;
} PlanAdded;

typedef struct TokenizerPlan
{
	AiArena    *arena;			/* of all that is pointed to */
	AiError    *err;
	size_t		n_steps;		/* since the host was asked whether to stop */
	AiTokenizerHead head;		/* settings; sections come later */
	AiBuf		strings;		/* of the block */
	AiBuf		pieces;			/* PlanPiece by id */
	AiBuf		scores;			/* double by id */
	AiBuf		merges;			/* PlanMerge by rank */
	AiBuf		added;			/* PlanAdded, in the order of the file */
	AiBuf		parts;			/* TemplatePart */
	AiBuf		charsmap;		/* units of its double array */
	AiBuf		charsmap_text;
	bool		has_lines;		/* pieces are those of vocab.txt, which must be distinct */
	const char *unk;			/* token, or NULL */
	const char *special[AI_N_SPECIAL_TOKENS];	/* likewise */
} TokenizerPlan;

extern AiCode plan_string(TokenizerPlan *plan, StoredString *stored, const char *string);
extern AiCode plan_piece(TokenizerPlan *plan, const char *bytes, size_t len, uint32_t id);
extern AiCode plan_merge(TokenizerPlan *plan, const char *left, size_t left_len,
						 const char *right, size_t right_len);
extern AiCode plan_added(TokenizerPlan *plan, const char *content, uint32_t flags);
extern AiCode plan_part(TokenizerPlan *plan, int32_t id, uint32_t type);
extern AiCode plan_step(TokenizerPlan *plan, NormalizeStep step);

/* The id of a piece or an added token; -1: none */
extern int32_t plan_find(const TokenizerPlan *plan, const char *content);

/* tokenizer_json.c: members of a JSON object, or what stands for them */
extern AiCode read_bool(TokenizerPlan *plan, const AiJson *object, const char *key, bool *value);
extern AiCode read_vocab_object(TokenizerPlan *plan, const AiJson *vocab);
extern AiCode read_added_token(TokenizerPlan *plan, const AiJson *token);
extern AiCode read_tokenizer_json(TokenizerPlan *plan, const AiTokenizerFile *file);

/* tokenizer_files.c: a file as JSON, NULL when there is none; errors say which one it is */
extern AiCode parse_tokenizer_file(TokenizerPlan *plan, const AiTokenizerFile *file,
								   const char *name, const AiJson **value);

/* The other files */
extern AiCode read_tokenizer_config(TokenizerPlan *plan, const AiTokenizerSource *source,
									const AiJson **config);
extern AiCode read_vocab_text(TokenizerPlan *plan, const AiTokenizerFile *file,
							  const AiJson *config);
extern AiCode read_vocab_json(TokenizerPlan *plan, const AiTokenizerSource *source,
							  const AiJson *config);

#endif							/* AI_TOKENIZER_BUILD_H */
