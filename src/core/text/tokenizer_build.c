/*-------------------------------------------------------------------------
 * tokenizer_build.c
 *		The block of a tokenizer from the files beside a model.
 *
 * The block is put together twice.  The first one has no added tokens: it is what
 * normalises those that are searched in normalised text, and tells which pieces merge to
 * themselves.
 *-------------------------------------------------------------------------
 */
#include "core/text/tokenizer_build.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_PIECE 10000			/* bytes; real ones have some hundred at most */
#define STEPS_PER_ASK 4096		/* whether to stop */
#define BYTES_PER_STEP 32

/* What is known of the plan when all files are read */
typedef struct Assembly
{
	TokenizerPlan *plan;
	const AiHost *host;
	AiError    *err;
	AiBuf		model;			/* AiTrieNode */
	AiBuf		raw;
	AiBuf		normalized;
	AiBuf		added;			/* AddedToken by id */
	AiBuf		whole;			/* bits by id */
	AiBuf		merges;			/* MergeRule */
	AiBuf		merged;
	AiBuf		starts;			/* u32 */
	AiBuf		pieces;			/* bytes */
} Assembly;

static PlanPiece *
plan_pieces(const TokenizerPlan *plan)
{
	return (PlanPiece *) plan->pieces.data;
}

static size_t
count_ids(const TokenizerPlan *plan)
{
	return plan->pieces.len / sizeof(PlanPiece);
}

AiCode
plan_string(TokenizerPlan *plan, StoredString *stored, const char *string)
{
	size_t		len = strlen(string);

	if (plan->strings.len + len > INT32_MAX)
		return ai_fail(plan->err, AI_ERR_LIMIT, "tokenizer is too large");
	*stored = (StoredString) {(uint32_t) plan->strings.len, (uint32_t) len};
	return ai_buf_append(&plan->strings, string, len, plan->err);
}

/* An id's piece, which nobody had before */
static AiCode
set_piece(TokenizerPlan *plan, PlanPiece piece, uint32_t id)
{
	size_t		n = count_ids(plan);

	if (id >= AI_TOKENIZER_MAX_IDS)
		return ai_fail(plan->err, AI_ERR_LIMIT, "vocabulary is too large");
	if (id >= n)
	{
		size_t		size = (id + 1 - n) * sizeof(PlanPiece);

		AI_TRY(ai_buf_reserve(&plan->pieces, size, plan->err));
		memset(plan->pieces.data + plan->pieces.len, 0, size);
		plan->pieces.len += size;
	}
	if (plan_pieces(plan)[id].bytes != NULL)
		return ai_fail(plan->err, AI_ERR_FORMAT, "invalid vocabulary: two pieces have number %u", id);
	plan_pieces(plan)[id] = piece;
	return AI_OK;
}

/* Called for each of many pieces, so that building can be stopped */
static AiCode
should_go_on(TokenizerPlan *plan, size_t len)
{
	plan->n_steps += 1 + len / BYTES_PER_STEP;
	if (plan->n_steps < STEPS_PER_ASK)
		return AI_OK;
	plan->n_steps = 0;
	return ai_host_should_stop(plan->arena->host) ?
		ai_fail(plan->err, AI_ERR_CANCELLED, "cancelled") : AI_OK;
}

AiCode
plan_piece(TokenizerPlan *plan, const char *bytes, size_t len, uint32_t id)
{
	if (len > MAX_PIECE)
		return ai_fail(plan->err, AI_ERR_LIMIT,
					   "piece \"%.20s...\" of a vocabulary has %zu bytes, more than %d", bytes, len,
					   MAX_PIECE);
	AI_TRY(should_go_on(plan, len));
	return set_piece(plan, (PlanPiece) {bytes, len, true}, id);
}

AiCode
plan_merge(TokenizerPlan *plan, const char *left, size_t left_len, const char *right,
		   size_t right_len)
{
	PlanMerge	merge = {left, left_len, right, right_len};

	return ai_buf_append(&plan->merges, &merge, sizeof(merge), plan->err);
}

/* A token that is added again counts as it was added last. */
AiCode
plan_added(TokenizerPlan *plan, const char *content, uint32_t flags)
{
	PlanAdded	added = {content, flags};
	PlanAdded  *list = (PlanAdded *) plan->added.data;

	if (content[0] == '\0')
		return AI_OK;
	if (plan->added.len / sizeof(added) >= 20000)
		return ai_fail(plan->err, AI_ERR_LIMIT, "tokenizer has too many added tokens");
	for (size_t i = 0; i < plan->added.len / sizeof(added); i++)
	{
		if (strcmp(list[i].content, content) == 0)
		{
			list[i].flags = flags;
			return AI_OK;
		}
	}
	return ai_buf_append(&plan->added, &added, sizeof(added), plan->err);
}

AiCode
plan_part(TokenizerPlan *plan, int32_t id, uint32_t type)
{
	TemplatePart part = {id, type};

	return ai_buf_append(&plan->parts, &part, sizeof(part), plan->err);
}

AiCode
plan_step(TokenizerPlan *plan, NormalizeStep step)
{
	if (plan->head.n_steps == MAX_STEPS)
		return ai_fail(plan->err, AI_ERR_UNSUPPORTED, "normalizer has more than %d steps", MAX_STEPS);
	plan->head.step[plan->head.n_steps++] = step;
	return AI_OK;
}

/*
 * The bytes that the model sees for a piece: over bytes, those that its characters stand
 * for.  false: it cannot see it.
 */
static bool
model_bytes(const TokenizerPlan *plan, const char *bytes, size_t len, char *out, size_t *n)
{
	*n = len;
	if (plan->head.model != MODEL_BPE)
	{
		memcpy(out, bytes, len);
		return len > 0;
	}
	*n = 0;
	for (size_t at = 0; at < len;)
	{
		uint32_t	code = AI_REPLACEMENT_CHARACTER;
		size_t		size = ai_utf8_decode(&code, bytes + at, len - at);
		int			byte = byte_of_char(code);

		if (size == 0 || byte < 0)
			return false;
		out[(*n)++] = (char) byte;
		at += size;
	}
	return len > 0;
}

/* keys:[n] are sorted.  In other files equal pieces are usual, and the last counts. */
static AiCode
check_lines(const AiTrieKey *keys, size_t n, AiError *err)
{
	for (size_t i = 1; i < n; i++)
	{
		const AiTrieKey *key = &keys[i];

		if (key->len != keys[i - 1].len || memcmp(key->bytes, keys[i - 1].bytes, key->len) != 0)
			continue;
		ai_fail(err, AI_ERR_FORMAT, "invalid vocab.txt: lines %u and %u are equal",
				keys[i - 1].value, key->value);
		ai_detail(err, "Both are \"%.*s\".", (int) (key->len < 100 ? key->len : 100), key->bytes);
		return AI_ERR_FORMAT;
	}
	return AI_OK;
}

static AiCode
build_model_trie(Assembly *a)
{
	TokenizerPlan *plan = a->plan;
	size_t		n = count_ids(plan);
	size_t		n_keys = 0;
	size_t		size = 0;
	AiTrieKey  *keys = ai_arena_alloc_zero(plan->arena, n, sizeof(AiTrieKey));
	char	   *bytes;

	for (size_t i = 0; i < n; i++)
		size += plan_pieces(plan)[i].len;
	bytes = ai_arena_alloc(plan->arena, size);
	if (keys == NULL || bytes == NULL)
		return ai_out_of_memory(a->err, size, "a vocabulary");
	for (size_t i = 0; i < n; i++)
	{
		PlanPiece	piece = plan_pieces(plan)[i];
		size_t		len;

		if (!piece.is_model || !model_bytes(plan, piece.bytes, piece.len, bytes, &len))
			continue;
		keys[n_keys++] = (AiTrieKey) {bytes, (uint32_t) len, (uint32_t) i + 1};
		bytes += len;
	}
	AI_TRY(ai_trie_build(&a->model, keys, n_keys, a->err));
	return plan->has_lines ? check_lines(keys, n_keys, a->err) : AI_OK;
}

/* -1: the model has no such piece */
static int32_t
find_model(const Assembly *a, const char *bytes, size_t len)
{
	const AiTrieNode *trie = (const AiTrieNode *) a->model.data;
	char		raw[1024];
	size_t		n;

	if (len > sizeof(raw) || !model_bytes(a->plan, bytes, len, raw, &n))
		return -1;
	return (int32_t) ai_trie_find(trie, raw, n) - 1;
}

/* Ids of bytes, and what merges with what */
static AiCode
put_merge(Assembly *a, PlanMerge merge, uint32_t rank)
{
	char		both[512];
	size_t		len = merge.left_len + merge.right_len;
	int32_t		left = find_model(a, merge.left, merge.left_len);
	int32_t		right = find_model(a, merge.right, merge.right_len);
	int32_t		made = -1;
	MergeRule  *rule = (MergeRule *) a->merges.data;
	size_t		mask = a->merges.len / sizeof(*rule) - 1;
	size_t		place;

	if (len <= sizeof(both))
	{
		memcpy(both, merge.left, merge.left_len);
		memcpy(both + merge.left_len, merge.right, merge.right_len);
		made = find_model(a, both, len);
	}
	if (left < 0 || right < 0 || made < 0)
	{
		ai_fail(a->err, AI_ERR_FORMAT, "invalid tokenizer: a merge has no piece");
		ai_detail(a->err, "This is merge %u.", rank + 1);
		return AI_ERR_FORMAT;
	}
	place = merge_hash((uint32_t) left, (uint32_t) right) & mask;
	while (rule[place].left != EMPTY_MERGE &&
		   (rule[place].left != (uint32_t) left || rule[place].right != (uint32_t) right))
		place = (place + 1) & mask;
	rule[place] = (MergeRule) {(uint32_t) left, (uint32_t) right, rank};
	return ai_buf_append(&a->merged, &made, sizeof(made), a->err);
}

static AiCode
build_merges(Assembly *a)
{
	TokenizerPlan *plan = a->plan;
	const PlanMerge *merge = (const PlanMerge *) plan->merges.data;
	size_t		n = plan->merges.len / sizeof(*merge);
	size_t		n_places = 2;
	size_t		size;

	if (n > AI_TOKENIZER_MAX_IDS)
		return ai_fail(a->err, AI_ERR_LIMIT, "tokenizer has too many merges");
	for (int c = 0; c < 256; c++)
	{
		char		byte = (char) c;

		plan->head.byte_id[c] =
			(int32_t) ai_trie_find((const AiTrieNode *) a->model.data, &byte, 1) - 1;
	}
	while (n_places < 2 * n)
		n_places *= 2;
	size = n_places * sizeof(MergeRule);
	AI_TRY(ai_buf_reserve(&a->merges, size, a->err));
	memset(a->merges.data, 0xFF, size);
	a->merges.len = size;
	for (size_t i = 0; i < n; i++)
	{
		AI_TRY(should_go_on(plan, merge[i].left_len + merge[i].right_len));
		AI_TRY(put_merge(a, merge[i], (uint32_t) i));
	}
	return AI_OK;
}

/* Unigram's pieces for bytes, and a score for each id that may come */
static AiCode
complete_unigram(Assembly *a)
{
	TokenizerPlan *plan = a->plan;
	static const double none = 0;

	for (int c = 0; c < 256; c++)
	{
		char		name[8];

		snprintf(name, sizeof(name), "<0x%02X>", (unsigned) c);
		plan->head.byte_id[c] = find_model(a, name, strlen(name));
	}
	while (plan->scores.len / sizeof(double) < count_ids(plan))
		AI_TRY(ai_buf_append(&plan->scores, &none, sizeof(none), a->err));
	return AI_OK;
}

/* Added tokens get the ids that the reference gives them. */
static AiCode
number_added(Assembly *a)
{
	TokenizerPlan *plan = a->plan;
	const PlanAdded *added = (const PlanAdded *) plan->added.data;
	uint32_t	next = 0;

	for (size_t i = 0; i < count_ids(plan); i++)
		next += plan_pieces(plan)[i].bytes != NULL;
	for (size_t i = 0; i < plan->added.len / sizeof(*added); i++)
	{
		size_t		len = strlen(added[i].content);
		int32_t		id = find_model(a, added[i].content, len);
		AddedToken	token = {.flags = added[i].flags};

		if (id < 0)
		{
			AI_TRY(set_piece(plan, (PlanPiece) {added[i].content, len, false}, next));
			id = (int32_t) next++;
		}
		token.id = (uint32_t) id;
		AI_TRY(plan_string(plan, &token.content, added[i].content));
		token.pattern = token.content;
		AI_TRY(ai_buf_append(&a->added, &token, sizeof(token), a->err));
	}
	return AI_OK;
}

int32_t
plan_find(const TokenizerPlan *plan, const char *content)
{
	size_t		len = strlen(content);

	for (size_t i = 0; i < count_ids(plan); i++)
	{
		PlanPiece	piece = plan_pieces(plan)[i];

		if (piece.bytes != NULL && piece.len == len && memcmp(piece.bytes, content, len) == 0)
			return (int32_t) i;
	}
	return -1;
}

static AiCode
build_pieces(Assembly *a)
{
	size_t		n = count_ids(a->plan);

	a->starts.len = a->pieces.len = 0;
	for (size_t i = 0; i <= n; i++)
	{
		uint32_t	start = (uint32_t) a->pieces.len;

		if (a->pieces.len > INT32_MAX)
			return ai_fail(a->err, AI_ERR_LIMIT, "vocabulary is too large");
		AI_TRY(ai_buf_append(&a->starts, &start, sizeof(start), a->err));
		if (i < n && plan_pieces(a->plan)[i].bytes != NULL)
			AI_TRY(ai_buf_append(&a->pieces, plan_pieces(a->plan)[i].bytes,
								 plan_pieces(a->plan)[i].len, a->err));
	}
	return AI_OK;
}

static AiCode
put_section(AiBuf *block, size_t begin, SectionKind kind, const AiBuf *from, AiError *err)
{
	size_t		size = ai_align_size(from->len);
	Section    *section;

	AI_TRY(ai_buf_reserve(block, size, err));
	section = &((AiTokenizerHead *) (block->data + begin))->section[kind];
	*section = (Section) {block->len - begin, from->len};
	if (from->len > 0)
		memcpy(block->data + block->len, from->data, from->len);
	memset(block->data + block->len + from->len, 0, size - from->len);
	block->len += size;
	return AI_OK;
}

/* Append the block, of what is there so far. */
static AiCode
assemble(Assembly *a, AiBuf *block)
{
	TokenizerPlan *plan = a->plan;
	const AiBuf *from[N_SECTIONS] = {
		[SECTION_STRINGS] = &plan->strings,
		[SECTION_PIECE_STARTS] = &a->starts,
		[SECTION_PIECES] = &a->pieces,
		[SECTION_MODEL] = &a->model,
		[SECTION_ADDED] = &a->added,
		[SECTION_ADDED_RAW] = &a->raw,
		[SECTION_ADDED_NORMALIZED] = &a->normalized,
		[SECTION_TEMPLATE] = &plan->parts,
		[SECTION_SCORES] = &plan->scores,
		[SECTION_MERGES] = &a->merges,
		[SECTION_MERGED] = &a->merged,
		[SECTION_WHOLE] = &a->whole,
		[SECTION_CHARSMAP] = &plan->charsmap,
		[SECTION_CHARSMAP_TEXT] = &plan->charsmap_text
	};
	size_t		begin = ai_align_size(block->len);
	AiTokenizerHead *head;

	AI_TRY(build_pieces(a));
	AI_TRY(ai_buf_reserve(block, begin - block->len + ai_align_size(sizeof(*head)), a->err));
	memset(block->data + block->len, 0, begin - block->len + ai_align_size(sizeof(*head)));
	head = (AiTokenizerHead *) (block->data + begin);
	*head = plan->head;
	memcpy(head->magic, TOKENIZER_MAGIC, sizeof(head->magic));
	head->version = AI_TOKENIZER_VERSION;
	head->n_ids = (uint32_t) count_ids(plan);
	block->len = begin + ai_align_size(sizeof(*head));
	for (int kind = 0; kind < N_SECTIONS; kind++)
		AI_TRY(put_section(block, begin, (SectionKind) kind, from[kind], a->err));
	head = (AiTokenizerHead *) (block->data + begin);
	head->size = block->len - begin;
	return AI_OK;
}

/* The content of an added token as the normaliser leaves it */
static AiCode
normalize_added(Assembly *a, const AiTokenizerHead *head, AiTokenizerScratch *scratch,
				AddedToken *token)
{
	TextBuf    *text = &scratch->text[0];
	char	   *copy;

	AI_TRY(text_buf_load(text, (const char *) a->plan->strings.data + token->content.start, 0,
						 token->content.len, a->err));
	AI_TRY(normalize_text(head, scratch, &text, true, true, a->err));
	copy = ai_arena_alloc(a->plan->arena, text->byte.len + 1);
	if (copy == NULL)
		return ai_out_of_memory(a->err, text->byte.len, "an added token");
	if (text->byte.len == 0 || memchr(text->byte.data, 0, text->byte.len) != NULL)
		return ai_fail(a->err, AI_ERR_UNSUPPORTED, "an added token is nothing when it is normalized");
	memcpy(copy, text->byte.data, text->byte.len);
	copy[text->byte.len] = '\0';
	return plan_string(a->plan, &token->pattern, copy);
}

static bool
has_space(const TokenizerPlan *plan, StoredString string)
{
	const char *bytes = (const char *) plan->strings.data + string.start;

	for (size_t at = 0; at < string.len;)
	{
		uint32_t	code = AI_REPLACEMENT_CHARACTER;
		size_t		size = ai_utf8_decode(&code, bytes + at, string.len - at);

		if (ai_tokenizer_char(code)->flags & AI_TCHAR_SPACE)
			return true;
		at += size > 0 ? size : 1;
	}
	return false;
}

/* Where chunks of a text may end; see chunk.c */
static void
allow_cuts(Assembly *a)
{
	AiTokenizerHead *head = &a->plan->head;
	const AddedToken *token = (const AddedToken *) a->added.data;

	head->can_cut = head->split != SPLIT_NONE &&
		((head->split != SPLIT_META && head->split != SPLIT_BYTES) || head->split_cuts);
	head->can_cut_ideographs = head->can_cut && head->split == SPLIT_BERT && head->n_steps == 1 &&
		head->step[0].kind == STEP_BERT && (head->step[0].flags & BERT_SPACES_IDEOGRAPHS);
	for (uint32_t i = 0; i < head->n_steps; i++)
	{
		if (head->step[i].kind == STEP_REPLACE && head->step[i].pattern.len > 1 &&
			has_space(a->plan, head->step[i].pattern))
			head->can_cut = false;
	}
	for (size_t i = 0; i < a->added.len / sizeof(*token); i++)
	{
		if (token[i].flags & (ADDED_NORMALIZED | ADDED_LSTRIP))
			head->can_cut_ideographs = false;
		if ((token[i].flags & ADDED_NORMALIZED) &&
			((token[i].flags & ADDED_RSTRIP) || has_space(a->plan, token[i].pattern)))
			head->can_cut = false;
	}
	head->can_cut_ideographs &= head->can_cut;
}

/* The trie of the added tokens that are searched before or after normalising */
static AiCode
build_added_trie(Assembly *a, bool is_normalized)
{
	AiTokenizerHead *head = &a->plan->head;
	uint8_t    *first = is_normalized ? head->first_normalized : head->first_raw;
	AiBuf	   *trie = is_normalized ? &a->normalized : &a->raw;
	const AddedToken *token = (const AddedToken *) a->added.data;
	size_t		n = a->added.len / sizeof(*token);
	AiTrieKey  *keys = ai_arena_alloc_zero(a->plan->arena, n + 1, sizeof(AiTrieKey));
	size_t		n_keys = 0;

	if (keys == NULL)
		return ai_out_of_memory(a->err, n * sizeof(*keys), "added tokens");
	for (size_t i = 0; i < n; i++)
	{
		const char *pattern = (const char *) a->plan->strings.data + token[i].pattern.start;

		if (is_normalized != ((token[i].flags & ADDED_NORMALIZED) != 0))
			continue;
		keys[n_keys++] = (AiTrieKey) {pattern, token[i].pattern.len, (uint32_t) i + 1};
		first[(uint8_t) pattern[0]] = 1;
	}
	trie->len = 0;
	AI_TRY(ai_trie_build(trie, keys, n_keys, a->err));
	for (size_t i = 1; i < n_keys; i++)
	{
		if (keys[i].len == keys[i - 1].len &&
			memcmp(keys[i].bytes, keys[i - 1].bytes, keys[i].len) == 0)
			return ai_fail(a->err, AI_ERR_UNSUPPORTED,
						   "two added tokens of a tokenizer are the same when normalized");
	}
	return AI_OK;
}

static int
compare_added(const void *left, const void *right)
{
	uint32_t	a = ((const AddedToken *) left)->id;
	uint32_t	b = ((const AddedToken *) right)->id;

	return a < b ? -1 : a > b;
}

/* Whether the model makes one token of a piece, this one */
static AiCode
find_whole(Assembly *a, const AiTokenizerHead *head, AiTokenizerScratch *scratch, uint32_t id)
{
	PlanPiece	piece = plan_pieces(a->plan)[id];
	TextBuf    *text = &scratch->text[0];
	TokenRun	run = {
		.head = head, .scratch = scratch, .list = &scratch->list[0], .text = text, .err = a->err
	};
	size_t		n;

	if (!piece.is_model)
		return AI_OK;
	AI_TRY(should_go_on(a->plan, piece.len));
	text_buf_clear(text, 0);
	AI_TRY(text_buf_reserve(text, piece.len, a->err));
	if (!model_bytes(a->plan, piece.bytes, piece.len, (char *) text->byte.data, &n))
		return AI_OK;
	text->byte.len = n;
	scratch->list[0].n = 0;
	AI_TRY(bpe_encode(&run, 0, n));
	if (scratch->list[0].n == 1 && ((const uint32_t *) scratch->list[0].id.data)[0] == id)
		a->whole.data[id / 8] |= (uint8_t) (1 << id % 8);
	return AI_OK;
}

/* What the first block is needed for */
static AiCode
use_first_block(Assembly *a)
{
	AiBuf		block;
	AiTokenizerScratch *scratch = NULL;
	AddedToken *token = (AddedToken *) a->added.data;
	size_t		n = a->added.len / sizeof(*token);
	AiCode		code;

	ai_buf_init(&block, a->host);
	a->added.len = 0;
	code = assemble(a, &block);
	a->added.len = n * sizeof(*token);
	if (code == AI_OK)
	{
		AiTokenizerHead *head = (AiTokenizerHead *) block.data;

		charsmap_ascii_table(head, head->charsmap_plain);
		memcpy(a->plan->head.charsmap_plain, head->charsmap_plain, sizeof(head->charsmap_plain));
	}
	if (code == AI_OK)
		code = ai_tokenizer_scratch_create(&scratch, a->host, a->err);
	for (size_t i = 0; i < n && code == AI_OK; i++)
	{
		if (token[i].flags & ADDED_NORMALIZED)
			code = normalize_added(a, (const AiTokenizerHead *) block.data, scratch, &token[i]);
	}
	if (a->plan->head.model == MODEL_BPE)
	{
		for (size_t id = 0; id < count_ids(a->plan) && code == AI_OK; id++)
			code = find_whole(a, (const AiTokenizerHead *) block.data, scratch, (uint32_t) id);
	}
	ai_tokenizer_scratch_destroy(scratch);
	ai_buf_free(&block);
	return code;
}

static AiCode
missing_unk(AiError *err)
{
	return ai_fail(err, AI_ERR_FORMAT, "invalid tokenizer: the unknown token is not in the vocabulary");
}

/* Ids of what the files name by content */
static AiCode
resolve_names(Assembly *a)
{
	static const char *const usual[AI_N_SPECIAL_TOKENS][2] = {
		[AI_TOKEN_CLS] = {"[CLS]", "<s>"},
		[AI_TOKEN_SEP] = {"[SEP]", "</s>"},
		[AI_TOKEN_PAD] = {"[PAD]", "<pad>"},
		[AI_TOKEN_UNK] = {"[UNK]", "<unk>"},
		[AI_TOKEN_MASK] = {"[MASK]", "<mask>"},
		[AI_TOKEN_BOS] = {"<s>", "<bos>"},
		[AI_TOKEN_EOS] = {"</s>", "<eos>"}
	};
	TokenizerPlan *plan = a->plan;

	if (plan->head.model == MODEL_WORDPIECE || plan->unk != NULL)
	{
		int32_t		unk = plan->unk == NULL ? -1 : find_model(a, plan->unk, strlen(plan->unk));

		if (unk < 0)
			return missing_unk(a->err);
		plan->head.unk_id = (uint32_t) unk;
		plan->head.has_unk = true;
	}
	for (int i = 0; i < AI_N_SPECIAL_TOKENS; i++)
	{
		int32_t		id = plan->special[i] == NULL ? -1 : plan_find(plan, plan->special[i]);

		for (int k = 0; k < 2 && id < 0 && plan->special[i] == NULL; k++)
			id = plan_find(plan, usual[i][k]);
		plan->head.special[i] = id;
	}
	return AI_OK;
}

/* Without a template the texts stand alone. */
static AiCode
complete_template(TokenizerPlan *plan)
{
	const TemplatePart *part = (const TemplatePart *) plan->parts.data;

	if (plan->parts.len == 0)
	{
		AI_TRY(plan_part(plan, TEMPLATE_FIRST, 0));
		AI_TRY(plan_part(plan, TEMPLATE_FIRST, 0));
		AI_TRY(plan_part(plan, TEMPLATE_SECOND, 1));
		plan->head.n_single = 1;
		plan->head.n_pair = 2;
		return AI_OK;
	}
	for (size_t i = 0; i < plan->parts.len / sizeof(*part); i++)
	{
		if (part[i].id >= 0 && (size_t) part[i].id >= count_ids(plan))
			return ai_fail(plan->err, AI_ERR_FORMAT,
						   "invalid tokenizer: token %d of the template is not in the vocabulary",
						   part[i].id);
	}
	return AI_OK;
}

/* From the plan to the block */
static AiCode
build_block(Assembly *a, AiBuf *block)
{
	TokenizerPlan *plan = a->plan;

	for (uint32_t i = 0; i < plan->head.n_steps; i++)
	{
		if (plan->head.step[i].kind == STEP_BERT)
			bert_ascii_table(plan->head.ascii, plan->head.step[i].flags);
	}
	AI_TRY(build_model_trie(a));
	if (plan->head.model == MODEL_BPE)
		AI_TRY(build_merges(a));
	AI_TRY(number_added(a));
	if (plan->head.model == MODEL_UNIGRAM)
		AI_TRY(complete_unigram(a));
	AI_TRY(resolve_names(a));
	AI_TRY(complete_template(plan));
	AI_TRY(ai_trie_build(&a->raw, NULL, 0, a->err));
	AI_TRY(ai_trie_build(&a->normalized, NULL, 0, a->err));
	if (plan->head.model == MODEL_BPE)
	{
		AI_TRY(ai_buf_reserve(&a->whole, count_ids(plan) / 8 + 1, a->err));
		a->whole.len = (count_ids(plan) + 7) / 8;
		memset(a->whole.data, 0, a->whole.len);
	}
	AI_TRY(use_first_block(a));
	if (a->added.len > 0)
		qsort(a->added.data, a->added.len / sizeof(AddedToken), sizeof(AddedToken), compare_added);
	AI_TRY(build_added_trie(a, false));
	AI_TRY(build_added_trie(a, true));
	allow_cuts(a);
	return assemble(a, block);
}

static void
free_bufs(Assembly *a)
{
	TokenizerPlan *plan = a->plan;
	AiBuf	   *bufs[] = {
		&plan->strings, &plan->pieces, &plan->scores, &plan->merges, &plan->added, &plan->parts,
		&plan->charsmap, &plan->charsmap_text, &a->model, &a->raw, &a->normalized, &a->added,
		&a->whole, &a->merges, &a->merged, &a->starts, &a->pieces
	};

	for (size_t i = 0; i < sizeof(bufs) / sizeof(bufs[0]); i++)
		ai_buf_free(bufs[i]);
}

static void
init_bufs(Assembly *a, TokenizerPlan *plan, const AiHost *host)
{
	AiBuf		empty;

	ai_buf_init(&empty, host);
	a->model = a->raw = a->normalized = a->added = a->whole = empty;
	a->merges = a->merged = a->starts = a->pieces = empty;
	plan->strings = plan->pieces = plan->scores = plan->merges = empty;
	plan->added = plan->parts = plan->charsmap = plan->charsmap_text = empty;
}

static AiCode
read_source(TokenizerPlan *plan, const AiTokenizerSource *source)
{
	const AiJson *config;

	AI_TRY(read_tokenizer_config(plan, source, &config));
	if (source->json.text != NULL)
		return read_tokenizer_json(plan, &source->json);
	if (source->vocab_text.text != NULL)
		return read_vocab_text(plan, &source->vocab_text, config);
	if (source->vocab_json.text != NULL && source->merges.text != NULL)
		return read_vocab_json(plan, source, config);
	ai_fail(plan->err, AI_ERR_FORMAT, "there is no tokenizer");
	ai_hint(plan->err, "Add tokenizer.json, or vocab.txt, or vocab.json and merges.txt.");
	return AI_ERR_FORMAT;
}

/* A first step that lowers, unless there is a step that does.  BERT's gives the same. */
static AiCode
lower_first(TokenizerPlan *plan)
{
	NormalizeStep *step = plan->head.step;
	NormalizeStep lower = {.kind = STEP_LOWER};

	for (uint32_t i = 0; i < plan->head.n_steps; i++)
	{
		if (step[i].kind == STEP_LOWER ||
			(step[i].kind == STEP_BERT && (step[i].flags & BERT_LOWERS)))
			return AI_OK;
	}
	AI_TRY(plan_step(plan, lower));
	memmove(step + 1, step, (plan->head.n_steps - 1) * sizeof(*step));
	step[0] = lower;
	return AI_OK;
}

AiCode
ai_tokenizer_build(AiBuf *block, const AiTokenizerSource *source, const AiHost *host, AiError *err)
{
	AiArena		arena;
	TokenizerPlan plan = {.arena = &arena, .err = err};
	Assembly	a = {.plan = &plan, .host = host, .err = err};
	AiCode		code;

	ai_arena_init(&arena, host);
	init_bufs(&a, &plan, host);
	code = read_source(&plan, source);
	if (code == AI_OK && source->lowers)
		code = lower_first(&plan);
	if (code == AI_OK)
		code = build_block(&a, block);
	free_bufs(&a);
	ai_arena_free(&arena);
	return code;
}
