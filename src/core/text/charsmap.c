/*-------------------------------------------------------------------------
 * charsmap.c
 *		SentencePiece's precompiled map of characters, as the reference applies it.
 *
 * That is: a grapheme cluster of less than 6 bytes is replaced as a whole by what its
 * shortest prefix in the map becomes; else each character by itself.  Marks behind a
 * character in the map can so be lost.
 *
 * The map is a double array of another kind than trie.h's, which comes with the model:
 * indices are checked at each step.
 *-------------------------------------------------------------------------
 */
#include "core/text/tokenizer_internal.h"

#include <string.h>

#define MAX_CLUSTER 6			/* bytes: longer ones go by characters */

#define UNIT_HAS_LEAF 0x100u
#define UNIT_LABEL 0x800000FFu
#define UNIT_VALUE 0x7FFFFFFFu

static uint32_t
unit_offset(uint32_t unit)
{
	return unit >> 10 << ((unit & 0x200) >> 6);
}

/* What the shortest prefix of bytes in the map becomes; false: none is */
static bool
find_replacement(const AiTokenizerHead *head, const uint8_t *bytes, size_t len,
				 const char **replacement, size_t *replacement_len)
{
	const uint32_t *unit = block_section(head, SECTION_CHARSMAP);
	const char *text = block_section(head, SECTION_CHARSMAP_TEXT);
	size_t		n_units = block_count(head, SECTION_CHARSMAP, sizeof(*unit));
	size_t		text_len = head->section[SECTION_CHARSMAP_TEXT].size;
	size_t		node = n_units > 0 ? unit_offset(unit[0]) : 0;

	for (size_t i = 0; i < len && bytes[i] != 0; i++)
	{
		size_t		place;

		node ^= bytes[i];
		if (node >= n_units || (unit[node] & UNIT_LABEL) != bytes[i])
			return false;
		place = node ^ unit_offset(unit[node]);
		if (unit[node] & UNIT_HAS_LEAF)
		{
			size_t		start = place < n_units ? unit[place] & UNIT_VALUE : text_len;

			if (start >= text_len)
				return false;
			*replacement = text + start;
			*replacement_len = strnlen(text + start, text_len - start);
			return true;
		}
		node = place;
	}
	return false;
}

/* What grapheme clusters depend on, besides two neighbours (UAX #29) */
typedef struct Cluster
{
	AiGraphemeBreak before;		/* of the last character */
	bool		is_pictograph;	/* a pictograph, and what extends it */
	bool		is_odd_regional;	/* an odd number of regional indicators */
} Cluster;

static bool
is_control(AiGraphemeBreak kind)
{
	return kind == AI_BREAK_CONTROL || kind == AI_BREAK_CR || kind == AI_BREAK_LF;
}

static bool
joins_hangul(AiGraphemeBreak before, AiGraphemeBreak next)
{
	switch (before)
	{
		case AI_BREAK_HANGUL_L:
			return next == AI_BREAK_HANGUL_L || next == AI_BREAK_HANGUL_V ||
				next == AI_BREAK_HANGUL_LV || next == AI_BREAK_HANGUL_LVT;
		case AI_BREAK_HANGUL_LV:
		case AI_BREAK_HANGUL_V:
			return next == AI_BREAK_HANGUL_V || next == AI_BREAK_HANGUL_T;
		case AI_BREAK_HANGUL_LVT:
		case AI_BREAK_HANGUL_T:
			return next == AI_BREAK_HANGUL_T;
		default:
			return false;
	}
}

/*
 * Whether the next character belongs to the cluster.  Rule GB9c, for conjuncts of Indic
 * scripts, is left out: their clusters are too long to be replaced, with it or without.
 */
static bool
joins(const Cluster *cluster, AiGraphemeBreak next)
{
	if (cluster->before == AI_BREAK_CR)
		return next == AI_BREAK_LF;
	if (is_control(cluster->before) || is_control(next))
		return false;
	if (next == AI_BREAK_EXTEND || next == AI_BREAK_ZWJ || next == AI_BREAK_SPACING ||
		cluster->before == AI_BREAK_PREPEND || joins_hangul(cluster->before, next))
		return true;
	if (next == AI_BREAK_PICTOGRAPH)
		return cluster->is_pictograph && cluster->before == AI_BREAK_ZWJ;
	return next == AI_BREAK_REGIONAL && cluster->is_odd_regional;
}

static void
add_to_cluster(Cluster *cluster, AiGraphemeBreak next)
{
	cluster->is_pictograph = next == AI_BREAK_PICTOGRAPH ||
		(cluster->is_pictograph && (next == AI_BREAK_EXTEND || next == AI_BREAK_ZWJ));
	cluster->is_odd_regional = next == AI_BREAK_REGIONAL && !cluster->is_odd_regional;
	cluster->before = next;
}

static size_t
cluster_end(const TextBuf *text, size_t at)
{
	Cluster		cluster = {AI_BREAK_OTHER, false, false};
	bool		is_first = true;

	while (at < text->byte.len)
	{
		uint32_t	code;
		size_t		len = text_buf_char(text, at, &code);
		AiGraphemeBreak kind = (AiGraphemeBreak) ai_tokenizer_char(code)->grapheme_break;

		if (!is_first && !joins(&cluster, kind))
			break;
		is_first = false;
		add_to_cluster(&cluster, kind);
		at += len;
	}
	return at;
}

/*
 * The reference writes down characters with how many characters of the source each one
 * takes: 0 of what is added to the one before, 1, or more where some are removed behind it.
 * Where each comes from follows from that, so it is followed here to the letter: what is
 * removed at the very begin is not counted, and all characters behind it are found as many
 * places too early.
 */
typedef struct Mapping
{
	const AiTokenizerHead *head;
	const TextBuf *from;
	TextBuf    *to;
	size_t		taken;			/* bytes of from */
	AiTokenSpan span;			/* of the last character taken */
	size_t		last_len;		/* bytes of the last character put; 0: there is none */
	bool		last_is_added;
	AiError    *err;
} Mapping;

static void
take(Mapping *m)
{
	uint32_t	code;
	size_t		len;

	if (m->taken >= m->from->byte.len)
		return;
	len = text_buf_char(m->from, m->taken, &code);
	m->span = text_buf_span(m->from, m->taken, m->taken + len);
	m->taken += len;
}

static AiCode
put_char(Mapping *m, uint32_t code, bool is_added)
{
	size_t		before = m->to->byte.len;

	if (!is_added)
		take(m);
	AI_TRY(text_buf_put(m->to, code, m->span, m->err));
	m->last_len = m->to->byte.len - before;
	m->last_is_added = is_added;
	return AI_OK;
}

/* n characters become nothing. */
static void
remove_chars(Mapping *m, size_t n)
{
	AiTokenSpan span;

	if (m->last_len == 0)
		return;
	for (size_t i = 0; i < n; i++)
	{
		take(m);
		if (i == 0)
			span = m->span;
	}
	/* a character that was added takes the first of them instead */
	if (m->last_is_added && n > 0)
	{
		m->to->byte.len -= m->last_len;
		m->to->start.len -= m->last_len * sizeof(uint32_t);
		m->to->end.len -= m->last_len * sizeof(uint32_t);
		text_buf_put_span(m->to, span, m->last_len);
		m->to->byte.len += m->last_len;
		m->last_is_added = false;
	}
}

static size_t
count_chars(const TextBuf *text, size_t start, size_t end)
{
	size_t		n = 0;

	for (; start < end; n++)
	{
		uint32_t	code;

		start += text_buf_char(text, start, &code);
	}
	return n;
}

/* A cluster, or a character of one, if the map has it */
static AiCode
replace(Mapping *m, size_t start, size_t end, bool *is_replaced)
{
	const char *bytes;
	size_t		len;
	size_t		n_old = count_chars(m->from, start, end);
	size_t		n_new = 0;

	*is_replaced = find_replacement(m->head, m->from->byte.data + start, end - start, &bytes, &len);
	if (!*is_replaced)
		return AI_OK;
	for (size_t at = 0; at < len; n_new++)
	{
		uint32_t	code = AI_REPLACEMENT_CHARACTER;
		size_t		size = ai_utf8_decode(&code, bytes + at, len - at);

		AI_TRY(put_char(m, code, n_new >= n_old));
		at += size > 0 ? size : 1;
	}
	if (n_new < n_old)
		remove_chars(m, n_old - n_new);
	return AI_OK;
}

static AiCode
put_cluster(Mapping *m, size_t start, size_t end)
{
	bool		is_replaced = false;

	if (end - start < MAX_CLUSTER)
		AI_TRY(replace(m, start, end, &is_replaced));
	while (!is_replaced && start < end)
	{
		uint32_t	code;
		size_t		len = text_buf_char(m->from, start, &code);
		bool		is_char_replaced;

		AI_TRY(replace(m, start, start + len, &is_char_replaced));
		if (!is_char_replaced)
			AI_TRY(put_char(m, code, false));
		start += len;
	}
	return AI_OK;
}

/* Which ASCII characters stay as they are, if what follows is ASCII, too */
void
charsmap_ascii_table(const AiTokenizerHead *head, uint8_t is_plain[128])
{
	for (int c = 0; c < 128; c++)
	{
		uint8_t		byte = (uint8_t) c;
		const char *bytes;
		size_t		len;

		is_plain[c] = c != '\r' && !find_replacement(head, &byte, 1, &bytes, &len);
	}
}

bool
charsmap_removes_first(const AiTokenizerHead *head, const TextBuf *text)
{
	const char *bytes;
	size_t		len;
	uint32_t	code;
	size_t		end = cluster_end(text, 0);

	if (end == 0)
		return false;
	if (end >= MAX_CLUSTER || !find_replacement(head, text->byte.data, end, &bytes, &len))
	{
		end = text_buf_char(text, 0, &code);
		if (!find_replacement(head, text->byte.data, end, &bytes, &len))
			return false;
	}
	return len == 0;
}

/* Characters that stay as they are, while the buffer is direct; their number */
static size_t
copy_plain(Mapping *m, size_t at)
{
	const uint8_t *byte = m->from->byte.data;
	size_t		n = m->from->byte.len;
	size_t		start = at;

	while (at < n && byte[at] < 0x80 && m->head->charsmap_plain[byte[at]] &&
		   (at + 1 == n || byte[at + 1] < 0x80))
		at++;
	memcpy(m->to->byte.data + m->to->byte.len, byte + start, at - start);
	m->to->byte.len += at - start;
	if (at > start)
	{
		m->taken = at;
		m->span = text_buf_span(m->from, at - 1, at);
		m->last_len = 1;
		m->last_is_added = false;
	}
	return at - start;
}

AiCode
charsmap_normalize(const AiTokenizerHead *head, const TextBuf *from, TextBuf *to, AiError *err)
{
	Mapping		m = {.head = head, .from = from, .to = to, .err = err};
	size_t		at = 0;

	text_buf_clear(to, from->origin);
	AI_TRY(text_buf_reserve(to, from->byte.len, err));
	if (from->is_direct)
		at = copy_plain(&m, 0);
	if (at == from->byte.len)
		return AI_OK;
	AI_TRY(text_buf_detach(to, err));
	while (at < from->byte.len)
	{
		size_t		end = cluster_end(from, at);

		AI_TRY(put_cluster(&m, at, end));
		at = end;
	}
	return AI_OK;
}
