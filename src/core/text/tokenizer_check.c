/*-------------------------------------------------------------------------
 * tokenizer_check.c
 *		Whether a block from outside can be used without harm.
 *
 * Everything that a run takes for an index is checked here, so that runs need not look.
 * What is only a value, as a score, may be anything.
 *-------------------------------------------------------------------------
 */
#include "core/text/tokenizer_internal.h"

#include <string.h>

static const size_t item_sizes[N_SECTIONS] = {
	[SECTION_STRINGS] = 1,
	[SECTION_PIECE_STARTS] = sizeof(uint32_t),
	[SECTION_PIECES] = 1,
	[SECTION_MODEL] = sizeof(AiTrieNode),
	[SECTION_ADDED] = sizeof(AddedToken),
	[SECTION_ADDED_RAW] = sizeof(AiTrieNode),
	[SECTION_ADDED_NORMALIZED] = sizeof(AiTrieNode),
	[SECTION_TEMPLATE] = sizeof(TemplatePart),
	[SECTION_SCORES] = sizeof(double),
	[SECTION_MERGES] = sizeof(MergeRule),
	[SECTION_MERGED] = sizeof(uint32_t),
	[SECTION_WHOLE] = 1,
	[SECTION_CHARSMAP] = sizeof(uint32_t),
	[SECTION_CHARSMAP_TEXT] = 1
};

static bool
check_sections(const AiTokenizerHead *head)
{
	uint64_t	end = ai_align_size(sizeof(*head));

	for (int i = 0; i < N_SECTIONS; i++)
	{
		const Section *section = &head->section[i];

		if (section->offset != end || section->size > head->size - end ||
			section->size % item_sizes[i] != 0)
			return false;
		end += ai_align_size((size_t) section->size);
		if (end > head->size)
			return false;
	}
	return end == head->size;
}

static bool
check_string(const AiTokenizerHead *head, StoredString string)
{
	uint64_t	size = head->section[SECTION_STRINGS].size;

	return string.start <= size && string.len <= size - string.start;
}

static bool
check_trie(const AiTokenizerHead *head, SectionKind kind, size_t max_value)
{
	return ai_trie_check(block_section(head, kind), block_count(head, kind, sizeof(AiTrieNode)),
						 (uint32_t) max_value);
}

static bool
check_settings(const AiTokenizerHead *head)
{
	bool		is_good = head->n_steps <= MAX_STEPS && head->split < N_SPLIT_KINDS &&
		head->model < N_MODEL_KINDS && head->decoder < N_DECODER_KINDS &&
		head->unk_id < head->n_ids && check_string(head, head->mark) &&
		check_string(head, head->prefix) && check_string(head, head->decoder_string);

	for (uint32_t i = 0; i < head->n_steps && is_good; i++)
		is_good = head->step[i].kind < N_STEP_KINDS && check_string(head, head->step[i].pattern) &&
			check_string(head, head->step[i].content);
	for (int i = 0; i < AI_N_SPECIAL_TOKENS; i++)
		is_good = is_good && head->special[i] >= -1 && head->special[i] < (int64_t) head->n_ids;
	for (int i = 0; i < 256; i++)
		is_good = is_good && head->byte_id[i] >= -1 && head->byte_id[i] < (int64_t) head->n_ids;
	for (int i = 0; i < 128; i++)
		is_good = is_good && (head->ascii[i] < 128 || head->ascii[i] == ASCII_DROPPED);
	return is_good;
}

static bool
check_pieces(const AiTokenizerHead *head)
{
	const uint32_t *start = block_section(head, SECTION_PIECE_STARTS);
	size_t		n = block_count(head, SECTION_PIECE_STARTS, sizeof(*start));

	if (n != (size_t) head->n_ids + 1 || start[0] != 0 ||
		start[head->n_ids] != head->section[SECTION_PIECES].size)
		return false;
	for (size_t i = 1; i < n; i++)
	{
		if (start[i] < start[i - 1])
			return false;
	}
	return true;
}

static bool
check_added(const AiTokenizerHead *head)
{
	const AddedToken *token = block_section(head, SECTION_ADDED);
	size_t		n = block_count(head, SECTION_ADDED, sizeof(*token));

	for (size_t i = 0; i < n; i++)
	{
		if (token[i].id >= head->n_ids || (i > 0 && token[i].id <= token[i - 1].id) ||
			!check_string(head, token[i].content) || !check_string(head, token[i].pattern))
			return false;
	}
	return check_trie(head, SECTION_ADDED_RAW, n) && check_trie(head, SECTION_ADDED_NORMALIZED, n);
}

static bool
check_template(const AiTokenizerHead *head)
{
	const TemplatePart *part = block_section(head, SECTION_TEMPLATE);
	size_t		n = block_count(head, SECTION_TEMPLATE, sizeof(*part));

	if (n != (size_t) head->n_single + head->n_pair)
		return false;
	for (size_t i = 0; i < n; i++)
	{
		if (part[i].id < TEMPLATE_SECOND || part[i].id >= (int64_t) head->n_ids ||
			part[i].type > UINT8_MAX)
			return false;
	}
	return true;
}

/* Of merges, a search must come to an end: at an empty place. */
static bool
check_bpe(const AiTokenizerHead *head)
{
	const MergeRule *rule = block_section(head, SECTION_MERGES);
	size_t		n = block_count(head, SECTION_MERGES, sizeof(*rule));
	const uint32_t *merged = block_section(head, SECTION_MERGED);
	size_t		n_merged = block_count(head, SECTION_MERGED, sizeof(*merged));
	size_t		n_empty = 0;

	if (n == 0 || (n & (n - 1)) != 0 ||
		head->section[SECTION_WHOLE].size != ((uint64_t) head->n_ids + 7) / 8)
		return false;
	for (size_t i = 0; i < n; i++)
	{
		n_empty += rule[i].left == EMPTY_MERGE;
		if (rule[i].left != EMPTY_MERGE && rule[i].rank >= n_merged)
			return false;
	}
	for (size_t i = 0; i < n_merged; i++)
	{
		if (merged[i] >= head->n_ids)
			return false;
	}
	return n_empty > 0;
}

static bool
check_model(const AiTokenizerHead *head)
{
	if (!check_trie(head, SECTION_MODEL, head->n_ids))
		return false;
	switch ((ModelKind) head->model)
	{
		case MODEL_BPE:
			return check_bpe(head);
		case MODEL_UNIGRAM:
			return block_count(head, SECTION_SCORES, sizeof(double)) == head->n_ids;
		default:
			return true;
	}
}

AiCode
ai_tokenizer_check(const void *block, size_t size, const AiHost *host, AiError *err)
{
	const AiTokenizerHead *head = block;
	AiTokenizer tokenizer;

	(void) host;
	AI_TRY(ai_tokenizer_open(&tokenizer, block, size, err));
	if (head->n_ids == 0 || head->n_ids > AI_TOKENIZER_MAX_IDS || !check_sections(head) ||
		!check_settings(head) || !check_pieces(head) || !check_added(head) ||
		!check_template(head) || !check_model(head))
		return ai_fail(err, AI_ERR_CORRUPT, "stored tokenizer is damaged");
	return AI_OK;
}
