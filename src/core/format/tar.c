/*-------------------------------------------------------------------------
 * tar.c
 *		Files in an uncompressed tar archive.
 *
 * A header is a block of 512 bytes, its content follows in whole blocks, and a block
 * of zeros ends the archive.  Headers of types 'x' and 'L' say something of the next
 * one: pax records, or a name that is too long for it.
 *-------------------------------------------------------------------------
 */
#include "core/format/tar.h"

#include <inttypes.h>
#include <string.h>

#include "core/base/utf8.h"

#define BLOCK_SIZE 512
#define MAX_RECORDS_SIZE ((uint64_t) 1 << 20)	/* of a pax header, bytes */
#define HEADERS_PER_ASK 1024	/* after which the host is asked to stop */

#define INVALID "invalid tar archive: "

typedef struct Header
{
	char		name[100];
	char		mode[8];
	char		uid[8];
	char		gid[8];
	char		size[12];
	char		mtime[12];
	char		checksum[8];
	char		type;
	char		link[100];
	char		magic[8];		/* with the version: "ustar\0" "00", or GNU's "ustar  " */
	char		uname[32];
	char		gname[32];
	char		major[8];
	char		minor[8];
	char		prefix[155];	/* of the name; GNU has other things there */
	char		rest[12];
} Header;

_Static_assert(sizeof(Header) == BLOCK_SIZE, "the header is a block");

/* What has been said of the next entry */
typedef struct Pending
{
	bool		has_name;		/* it is in tar->name */
	bool		has_size;
	uint64_t	size;
} Pending;

void
ai_tar_init(AiTar *tar, const AiHost *host, const AiSource *source)
{
	*tar = (AiTar) {.host = host, .source = *source};
	ai_buf_init(&tar->name, host);
	ai_buf_init(&tar->records, host);
}

void
ai_tar_free(AiTar *tar)
{
	ai_buf_free(&tar->name);
	ai_buf_free(&tar->records);
}

/*
 * Numbers
 */

/* Octal digits, perhaps between spaces, up to a zero or the end of the field */
static bool
read_octal(uint64_t *number, const char *field, size_t size)
{
	size_t		i = 0;
	bool		has_digit = false;

	*number = 0;
	while (i < size && field[i] == ' ')
		i++;
	for (; i < size && field[i] >= '0' && field[i] <= '7'; i++)
	{
		if (*number > INT64_MAX / 8)
			return false;
		*number = *number * 8 + (uint64_t) (field[i] - '0');
		has_digit = true;
	}
	return has_digit && (i == size || field[i] == ' ' || field[i] == '\0');
}

/* Octal, or GNU's bytes behind one of 0x80, high ones first */
static bool
read_size(uint64_t *number, const char *field, size_t size)
{
	if ((unsigned char) field[0] != 0x80)
		return read_octal(number, field, size);
	*number = 0;
	for (size_t i = 1; i < size; i++)
	{
		if (*number > INT64_MAX >> 8)
			return false;
		*number = *number << 8 | (unsigned char) field[i];
	}
	return true;
}

/* The sum of all bytes, spaces in the place of the sum itself; some have added signed ones */
static bool
has_right_sum(const Header *header)
{
	const unsigned char *bytes = (const unsigned char *) header;
	size_t		begin = offsetof(Header, checksum);
	uint64_t	expected;
	int64_t		sum = 0;
	int64_t		signed_sum = 0;

	for (size_t i = 0; i < BLOCK_SIZE; i++)
	{
		bool		is_sum = i >= begin && i < begin + sizeof(header->checksum);
		int			byte = is_sum ? ' ' : bytes[i];

		sum += byte;
		signed_sum += byte < 128 ? byte : byte - 256;
	}
	return read_octal(&expected, header->checksum, sizeof(header->checksum)) &&
		((int64_t) expected == sum || (int64_t) expected == signed_sum);
}

bool
ai_tar_is_likely(const void *bytes, size_t n)
{
	return n >= BLOCK_SIZE && has_right_sum(bytes);
}

static bool
is_zero_block(const Header *header)
{
	const char *bytes = (const char *) header;

	return bytes[0] == '\0' && memcmp(bytes, bytes + 1, BLOCK_SIZE - 1) == 0;
}

/*
 * Names
 */

/* Valid UTF-8 without control characters: safe in messages, and equal where it looks equal */
static bool
is_clean(const char *name, size_t len)
{
	for (size_t i = 0; i < len;)
	{
		uint32_t	code;
		size_t		n = ai_utf8_decode(&code, name + i, len - i);

		if (n == 0 || code < 0x20 || (code >= 0x7F && code < 0xA0))
			return false;
		i += n;
	}
	return true;
}

static AiCode
set_name(AiTar *tar, const char *prefix, size_t prefix_len, const char *name, size_t len,
		 AiError *err)
{
	tar->name.len = 0;
	if (prefix_len > 0)
	{
		AI_TRY(ai_buf_append(&tar->name, prefix, prefix_len, err));
		AI_TRY(ai_buf_append(&tar->name, "/", 1, err));
	}
	AI_TRY(ai_buf_append(&tar->name, name, len, err));
	return ai_buf_append(&tar->name, "", 1, err);
}

static AiCode
set_header_name(AiTar *tar, const Header *header, AiError *err)
{
	bool		has_prefix = memcmp(header->magic, "ustar", 6) == 0;

	return set_name(tar, header->prefix,
					has_prefix ? strnlen(header->prefix, sizeof(header->prefix)) : 0,
					header->name, strnlen(header->name, sizeof(header->name)), err);
}

/* Leave "." and empty parts out; false for one that is "..". */
static bool
tidy_name(char *name)
{
	char	   *to = name;

	for (const char *part = name; *part != '\0';)
	{
		size_t		len = strcspn(part, "/");
		const char *next = part + len + (part[len] == '/');

		if (len == 2 && memcmp(part, "..", 2) == 0)
			return false;
		if (len > 1 || (len == 1 && *part != '.'))
		{
			if (to > name)
				*to++ = '/';
			memmove(to, part, len);
			to += len;
		}
		part = next;
	}
	*to = '\0';
	return true;
}

static AiCode
check_name(AiTar *tar, AiError *err)
{
	char	   *name = (char *) tar->name.data;
	size_t		len = tar->name.len - 1;

	if (len == 0 || strlen(name) != len || !is_clean(name, len))
		return ai_fail(err, AI_ERR_FORMAT, INVALID "the name of entry %" PRId64 " is damaged",
					   tar->n_entries);
	if (len > AI_TAR_MAX_NAME)
		return ai_fail(err, AI_ERR_LIMIT, "the name of entry %" PRId64 " of the tar archive is too long",
					   tar->n_entries);
	if (name[0] == '/')
		return ai_fail(err, AI_ERR_FORMAT, INVALID "entry \"%s\" has an absolute name", name);
	if (!tidy_name(name))
		return ai_fail(err, AI_ERR_FORMAT, INVALID "the name of entry \"%s\" leads out of its folder",
					   name);
	return AI_OK;
}

/*
 * What comes before an entry
 */
static AiCode
wrong_records(const AiTar *tar, AiError *err)
{
	return ai_fail(err, AI_ERR_FORMAT, INVALID "the pax records before entry %" PRId64 " are damaged",
				   tar->n_entries);
}

/* One "key=value" of len bytes */
static AiCode
use_record(AiTar *tar, Pending *pending, const char *record, size_t len, AiError *err)
{
	const char *value = memchr(record, '=', len);
	size_t		value_len;

	if (value == NULL)
		return wrong_records(tar, err);
	value++;
	value_len = len - (size_t) (value - record);
	if (value - record == 5 && memcmp(record, "path=", 5) == 0)
	{
		pending->has_name = true;
		return set_name(tar, "", 0, value, value_len, err);
	}
	if (value - record == 5 && memcmp(record, "size=", 5) == 0)
	{
		pending->has_size = value_len > 0;
		pending->size = 0;
		for (size_t i = 0; i < value_len; i++)
		{
			if (value[i] < '0' || value[i] > '9' || pending->size > INT64_MAX / 10 - 1)
				return wrong_records(tar, err);
			pending->size = pending->size * 10 + (uint64_t) (value[i] - '0');
		}
	}
	if (len > 11 && memcmp(record, "GNU.sparse.", 11) == 0)
	{
		ai_fail(err, AI_ERR_UNSUPPORTED, "sparse files in tar archives are not supported");
		ai_hint(err, "Pack the folder without tar's option --sparse.");
		return AI_ERR_UNSUPPORTED;
	}
	return AI_OK;
}

/* Records are "LENGTH KEY=VALUE\n", one behind the other; the length counts all of it. */
static AiCode
use_records(AiTar *tar, Pending *pending, AiError *err)
{
	const char *records = (const char *) tar->records.data;
	size_t		size = tar->records.len;

	for (size_t at = 0; at < size;)
	{
		size_t		len = 0;
		size_t		i = at;

		for (; i < size && records[i] >= '0' && records[i] <= '9' && len < size; i++)
			len = len * 10 + (size_t) (records[i] - '0');
		if (i == size || records[i] != ' ' || len > size - at || len < i - at + 2 ||
			records[at + len - 1] != '\n')
			return wrong_records(tar, err);
		i++;
		AI_TRY(use_record(tar, pending, records + i, at + len - 1 - i, err));
		at += len;
	}
	return AI_OK;
}

/* The content of a header that speaks of others, at most max bytes, to tar->records */
static AiCode
read_content(AiTar *tar, uint64_t offset, uint64_t size, uint64_t max, AiError *err)
{
	tar->records.len = 0;
	if (size > max)
		return ai_fail(err, AI_ERR_LIMIT,
					   "a header before entry %" PRId64 " of the tar archive has %" PRIu64 " bytes",
					   tar->n_entries, size);
	AI_TRY(ai_buf_reserve(&tar->records, (size_t) size, err));
	AI_TRY(ai_source_read(&tar->source, tar->records.data, offset, (size_t) size, err));
	tar->records.len = (size_t) size;
	return AI_OK;
}

static AiCode
use_long_name(AiTar *tar, Pending *pending, AiError *err)
{
	size_t		len = tar->records.len;

	/* the zero that ends it may count */
	while (len > 0 && tar->records.data[len - 1] == '\0')
		len--;
	pending->has_name = true;
	return set_name(tar, "", 0, (const char *) tar->records.data, len, err);
}

/*
 * Entries
 */
static AiCode
refuse_type(char type, const char *name, AiError *err)
{
	if (type == '1' || type == '2')
	{
		ai_fail(err, AI_ERR_FORMAT, INVALID "entry \"%s\" is a link", name);
		ai_hint(err, "Pack the folder with tar's option --dereference.");
		return AI_ERR_FORMAT;
	}
	if (type >= '3' && type <= '6')
		return ai_fail(err, AI_ERR_FORMAT, INVALID "entry \"%s\" is neither a file nor a folder", name);
	if (type == 'S')
	{
		ai_fail(err, AI_ERR_UNSUPPORTED, "entry \"%s\" of the tar archive is a sparse file", name);
		ai_hint(err, "Pack the folder without tar's option --sparse.");
		return AI_ERR_UNSUPPORTED;
	}
	return ai_fail(err, AI_ERR_FORMAT, INVALID "entry \"%s\" has a type that is not known", name);
}

/* The block at tar->at, unless the archive ends there; size is its content's. */
static AiCode
read_header(AiTar *tar, Header *header, uint64_t *size, bool *is_end, AiError *err)
{
	if (tar->source.size - tar->at < BLOCK_SIZE)
	{
		ai_fail(err, AI_ERR_FORMAT, INVALID "it ends without its end mark");
		ai_hint(err, "The file may have been cut short; transfer it again.");
		return AI_ERR_FORMAT;
	}
	AI_TRY(ai_source_read(&tar->source, header, tar->at, BLOCK_SIZE, err));
	*is_end = is_zero_block(header);
	if (*is_end)
		return AI_OK;
	tar->at += BLOCK_SIZE;
	if (!has_right_sum(header) || !read_size(size, header->size, sizeof(header->size)))
	{
		ai_fail(err, AI_ERR_FORMAT, INVALID "the header of entry %" PRId64 " is damaged",
				tar->n_entries);
		ai_detail(err, "The header is at byte %" PRIu64 ".", tar->at - BLOCK_SIZE);
		return AI_ERR_FORMAT;
	}
	return AI_OK;
}

/* Go behind the content of size bytes at tar->at, which must be there; what is for messages. */
static AiCode
pass_content(AiTar *tar, uint64_t size, const char *what, AiError *err)
{
	uint64_t	left = tar->source.size - tar->at;
	uint64_t	padded;

	if (size > left)
	{
		ai_fail(err, AI_ERR_FORMAT, INVALID "entry \"%s\" ends beyond its end", what);
		ai_detail(err, "The entry has %" PRIu64 " bytes, the archive %" PRIu64 " more.", size, left);
		ai_hint(err, "The file may have been cut short; transfer it again.");
		return AI_ERR_FORMAT;
	}
	padded = (size + BLOCK_SIZE - 1) / BLOCK_SIZE * BLOCK_SIZE;
	tar->at += padded < left ? padded : left;
	return AI_OK;
}

static AiCode
finish_entry(AiTar *tar, AiTarEntry *entry, const Header *header, uint64_t size, AiError *err)
{
	bool		is_plain = header->type == '0' || header->type == '\0' || header->type == '7';
	uint64_t	begin = tar->at;
	bool		has_slash;

	has_slash = tar->name.len > 1 && tar->name.data[tar->name.len - 2] == '/';
	AI_TRY(check_name(tar, err));
	entry->name = (const char *) tar->name.data;
	if (!is_plain && header->type != '5')
		return refuse_type(header->type, entry->name, err);
	entry->is_folder = header->type == '5' || has_slash;
	AI_TRY(pass_content(tar, entry->is_folder ? 0 : size, entry->name, err));
	entry->content = ai_source_part(&tar->source, begin, entry->is_folder ? 0 : size);
	return AI_OK;
}

/* A header that speaks of the next one or of all; *is_entry: it is the entry itself. */
static AiCode
use_header(AiTar *tar, Pending *pending, const Header *header, uint64_t size, bool *is_entry,
		   AiError *err)
{
	uint64_t	begin = tar->at;

	*is_entry = strchr("xgLK", header->type) == NULL || header->type == '\0';
	if (*is_entry)
		return AI_OK;
	AI_TRY(pass_content(tar, size, "(long name or pax records)", err));
	if (header->type == 'x')
	{
		AI_TRY(read_content(tar, begin, size, MAX_RECORDS_SIZE, err));
		return use_records(tar, pending, err);
	}
	if (header->type == 'L')
	{
		AI_TRY(read_content(tar, begin, size, AI_TAR_MAX_NAME + 1, err));
		return use_long_name(tar, pending, err);
	}
	return AI_OK;
}

AiCode
ai_tar_next(AiTar *tar, AiTarEntry *entry, bool *has_entry, AiError *err)
{
	Pending		pending = {.has_name = false};
	Header		header;
	uint64_t	size;
	bool		is_end;
	bool		is_entry;

	*has_entry = false;
	tar->n_entries++;
	do
	{
		if (tar->n_headers++ % HEADERS_PER_ASK == 0 && ai_host_should_stop(tar->host))
			return ai_fail(err, AI_ERR_CANCELLED, "cancelled");
		AI_TRY(read_header(tar, &header, &size, &is_end, err));
		if (is_end)
			return AI_OK;
		AI_TRY(use_header(tar, &pending, &header, size, &is_entry, err));
	} while (!is_entry);
	if (!pending.has_name)
		AI_TRY(set_header_name(tar, &header, err));
	AI_TRY(finish_entry(tar, entry, &header, pending.has_size ? pending.size : size, err));
	*has_entry = true;
	return AI_OK;
}
