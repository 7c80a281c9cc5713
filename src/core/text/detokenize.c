/*-------------------------------------------------------------------------
 * detokenize.c
 *		Ids back into a text, as the reference's decoders put it.
 *-------------------------------------------------------------------------
 */
#include "core/text/tokenizer_internal.h"

#include <string.h>

/* What BERT's decoder leaves out of each token, one rule after the other */
static const struct
{
	const char *dirty;
	const char *clean;
} cleanings[] = {
	{" .", "."}, {" ?", "?"}, {" !", "!"}, {" ,", ","}, {" ' ", "'"}, {" n't", "n't"},
	{" 'm", "'m"}, {" do not", " don't"}, {" 's", "'s"}, {" 've", "'ve"}, {" 're", "'re"}
};

/* The text behind from, with one rule applied; it never grows. */
static void
clean_with(AiBuf *text, size_t from, const char *dirty, const char *clean)
{
	size_t		dirty_len = strlen(dirty);
	size_t		clean_len = strlen(clean);
	size_t		to = from;

	for (size_t at = from; at < text->len;)
	{
		if (text->len - at >= dirty_len && memcmp(text->data + at, dirty, dirty_len) == 0)
		{
			memcpy(text->data + to, clean, clean_len);
			to += clean_len;
			at += dirty_len;
		}
		else
			text->data[to++] = text->data[at++];
	}
	text->len = to;
}

static const AddedToken *
find_added_id(const AiTokenizerHead *head, int32_t id)
{
	const AddedToken *added = block_section(head, SECTION_ADDED);
	size_t		low = 0;
	size_t		high = block_count(head, SECTION_ADDED, sizeof(*added));

	while (low < high)
	{
		size_t		middle = low + (high - low) / 2;

		if (added[middle].id == (uint32_t) id)
			return &added[middle];
		if (added[middle].id < (uint32_t) id)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

/* By the string, as the reference: another id may have the same */
static bool
is_special(const AiTokenizerHead *head, const char *string, size_t len)
{
	const AddedToken *added = block_section(head, SECTION_ADDED);

	for (size_t i = 0; i < block_count(head, SECTION_ADDED, sizeof(*added)); i++)
	{
		if ((added[i].flags & ADDED_SPECIAL) && added[i].content.len == len &&
			memcmp(block_string(head, added[i].content), string, len) == 0)
			return true;
	}
	return false;
}

/* A token as it goes into the decoder; NULL where it says nothing */
static const char *
token_string(const AiTokenizer *tokenizer, int32_t id, bool skips_special, size_t *len)
{
	const AiTokenizerHead *head = tokenizer->head;
	const AddedToken *added = id < 0 ? NULL : find_added_id(head, id);
	const char *string;

	if (added == NULL)
		string = ai_tokenizer_piece(tokenizer, id, len);
	else
	{
		string = block_string(head, added->pattern);
		*len = added->pattern.len;
	}
	return string != NULL && skips_special && is_special(head, string, *len) ? NULL : string;
}

static AiCode
put_wordpiece(const AiTokenizerHead *head, AiBuf *text, const char *token, size_t len,
			  bool is_first, AiError *err)
{
	size_t		prefix_len = head->decoder_string.len;
	size_t		from = text->len;

	if (!is_first)
	{
		if (len >= prefix_len &&
			memcmp(token, block_string(head, head->decoder_string), prefix_len) == 0)
		{
			token += prefix_len;
			len -= prefix_len;
		}
		else
			AI_TRY(ai_buf_append(text, " ", 1, err));
	}
	AI_TRY(ai_buf_append(text, token, len, err));
	for (size_t i = 0; head->decoder_flag && i < sizeof(cleanings) / sizeof(cleanings[0]); i++)
		clean_with(text, from, cleanings[i].dirty, cleanings[i].clean);
	return AI_OK;
}

/* The bytes that a token's characters stand for, if all of them do */
static AiCode
put_bytes(AiBuf *text, const char *token, size_t len, AiError *err)
{
	size_t		from = text->len;

	AI_TRY(ai_buf_reserve(text, len, err));
	for (size_t at = 0; at < len;)
	{
		uint32_t	code = AI_REPLACEMENT_CHARACTER;
		size_t		size = ai_utf8_decode(&code, token + at, len - at);
		int			byte = byte_of_char(code);

		if (size == 0 || byte < 0)
		{
			text->len = from;
			return ai_buf_append(text, token, len, err);
		}
		text->data[text->len++] = (uint8_t) byte;
		at += size;
	}
	return AI_OK;
}

static AiCode
put_meta(const AiTokenizerHead *head, AiBuf *text, const char *token, size_t len, bool is_first,
		 AiError *err)
{
	const char *mark = block_string(head, head->decoder_string);
	size_t		mark_len = head->decoder_string.len;

	for (size_t at = 0; at < len;)
	{
		if (mark_len > 0 && len - at >= mark_len && memcmp(token + at, mark, mark_len) == 0)
		{
			if (!is_first || head->decoder_flag == PREPEND_NEVER)
				AI_TRY(ai_buf_append(text, " ", 1, err));
			at += mark_len;
		}
		else
			AI_TRY(ai_buf_append(text, token + at++, 1, err));
	}
	return AI_OK;
}

static AiCode
put_token(const AiTokenizerHead *head, AiBuf *text, const char *token, size_t len, bool is_first,
		  AiError *err)
{
	switch ((DecoderKind) head->decoder)
	{
		case DECODER_WORDPIECE:
			return put_wordpiece(head, text, token, len, is_first, err);
		case DECODER_BYTES:
			return put_bytes(text, token, len, err);
		case DECODER_META:
			return put_meta(head, text, token, len, is_first, err);
		default:
			if (!is_first)
				AI_TRY(ai_buf_append(text, " ", 1, err));
			return ai_buf_append(text, token, len, err);
	}
}

/*
 * How many bytes of a character that is cut or wrong are replaced together: those that a
 * valid character could begin with.
 */
static size_t
damaged_length(const uint8_t *byte, size_t len)
{
	size_t		wanted = byte[0] >= 0xF0 ? 4 : byte[0] >= 0xE0 ? 3 : 2;
	uint8_t		low = byte[0] == 0xE0 ? 0xA0 : byte[0] == 0xF0 ? 0x90 : 0x80;
	uint8_t		high = byte[0] == 0xED ? 0x9F : byte[0] == 0xF4 ? 0x8F : 0xBF;
	size_t		n = 1;

	if (byte[0] < 0xC2 || byte[0] > 0xF4)
		return 1;
	while (n < wanted && n < len && byte[n] >= low && byte[n] <= high)
	{
		low = 0x80;
		high = 0xBF;
		n++;
	}
	return n;
}

/* The text behind from, which is any bytes, with U+FFFD for what is no character */
static AiCode
repair(AiBuf *text, size_t from, AiError *err)
{
	AiBuf		good;
	AiCode		code = AI_OK;

	ai_buf_init(&good, text->host);
	for (size_t at = from; at < text->len && code == AI_OK;)
	{
		uint32_t	c;
		size_t		len = ai_utf8_decode(&c, (const char *) text->data + at, text->len - at);

		if (len > 0)
			code = ai_buf_append(&good, text->data + at, len, err);
		else
		{
			code = ai_buf_append(&good, "\xEF\xBF\xBD", 3, err);
			len = damaged_length(text->data + at, text->len - at);
		}
		at += len;
	}
	text->len = from;
	if (code == AI_OK)
		code = ai_buf_append(text, good.data, good.len, err);
	ai_buf_free(&good);
	return code;
}

AiCode
ai_detokenize(const AiTokenizer *tokenizer, const int32_t *id, size_t n, bool skips_special,
			  AiBuf *text, AiError *err)
{
	const AiTokenizerHead *head = tokenizer->head;
	size_t		from = text->len;
	bool		is_first = true;

	for (size_t i = 0; i < n; i++)
	{
		size_t		len;
		const char *token = token_string(tokenizer, id[i], skips_special, &len);

		if (token == NULL)
			continue;
		AI_TRY(put_token(head, text, token, len, is_first, err));
		is_first = false;
	}
	return head->decoder == DECODER_BYTES ? repair(text, from, err) : AI_OK;
}
