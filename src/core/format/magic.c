/*-------------------------------------------------------------------------
 * magic.c
 *		What a file is, by the bytes that it begins with.
 *-------------------------------------------------------------------------
 */
#include "core/format/magic.h"

#include <string.h>

#include "core/format/safetensors.h"
#include "core/format/tar.h"

#define HINT_ALL \
	"Import what ai_export() has written, all of its parts in their order, or the folder of a " \
	"model in Hugging Face's layout: by ai_import_file(), or packed into one file by tar -cf."
#define HINT_UNPACKED "Pack the model's folder with tar -cf, without compression."
#define HINT_CONVERT \
	"Only weights in the safetensors format are read. Save the model by save_pretrained() of " \
	"transformers, which writes them, and import its folder."

/* Bytes with zeros in them are as long as they are written. */
#define BYTES(string) string, sizeof(string) - 1

static const struct
{
	size_t		offset;
	const char *bytes;
	size_t		n;
	const char *name;
	const char *hint;
}			others[] = {
	{0, BYTES("\x1f\x8b"), "a gzip archive", HINT_UNPACKED},
	{0, BYTES("\xfd" "7zXZ"), "an xz archive", HINT_UNPACKED},
	{0, BYTES("BZh"), "a bzip2 archive", HINT_UNPACKED},
	{0, BYTES("\x28\xb5\x2f\xfd"), "a zstd archive", HINT_UNPACKED},
	{0, BYTES("7z\xbc\xaf"), "a 7z archive", HINT_UNPACKED},
	{0, BYTES("PK\3\4"),
		"a zip archive, as which PyTorch stores pytorch_model.bin and Keras its models",
	HINT_CONVERT},
	{0, BYTES("GGUF"), "a GGUF model", HINT_CONVERT},
	{0, BYTES("\x80\2"), "a pickle of Python, as which PyTorch stores pytorch_model.bin",
	HINT_CONVERT},
	{0, BYTES("\x80\4"), "a pickle of Python", HINT_CONVERT},
	{0, BYTES("\x89" "HDF\r\n"), "an HDF5 file, as which Keras stores models", HINT_CONVERT},
	{4, BYTES("TFL3"), "a TensorFlow Lite model", HINT_CONVERT},
	{0, BYTES("\xba\x16\x4f\x2f"), "a fastText model", HINT_ALL},
	{0, BYTES("{"), "JSON",
	"Import the whole folder of the model, not one of its files."},
};

AiMagic
ai_magic(const void *bytes, size_t n)
{
	if (n >= 4 && memcmp(bytes, "\x89" "AIM", 4) == 0)
		return AI_MAGIC_AIM;
	if (ai_tar_is_likely(bytes, n))
		return AI_MAGIC_TAR;
	return AI_MAGIC_OTHER;
}

/* The size of a header, and the header */
static bool
is_safetensors(const uint8_t *bytes, size_t n)
{
	uint64_t	size = 0;

	if (n < 9)
		return false;
	for (int i = 7; i >= 0; i--)
		size = size << 8 | bytes[i];
	return size >= 2 && size <= AI_SAFETENSORS_MAX_HEADER && bytes[8] == '{';
}

/* A message of protobuf: a small version, and then the name of the producer or its graph */
static bool
is_onnx(const uint8_t *bytes, size_t n)
{
	return n >= 3 && bytes[0] == 0x08 && bytes[1] > 0 && bytes[1] < 0x20 &&
		(bytes[2] == 0x12 || bytes[2] == 0x3a);
}

static AiCode
refuse(AiError *err, const char *name, const char *hint)
{
	ai_fail(err, AI_ERR_FORMAT, "the bytes are not a model that aiaas can read");
	if (name != NULL)
		ai_detail(err, "They look like %s.", name);
	ai_hint(err, "%s", hint);
	return AI_ERR_FORMAT;
}

AiCode
ai_magic_refuse(const void *bytes, size_t n, AiError *err)
{
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
	{
		if (n >= others[i].offset + others[i].n &&
			memcmp((const char *) bytes + others[i].offset, others[i].bytes, others[i].n) == 0)
			return refuse(err, others[i].name, others[i].hint);
	}
	if (is_safetensors(bytes, n))
		return refuse(err, "weights in the safetensors format alone",
					  "Import the whole folder of the model, with config.json and the tokenizer's "
					  "files.");
	if (is_onnx(bytes, n))
		return refuse(err, "an ONNX model", HINT_CONVERT);
	return refuse(err, NULL, HINT_ALL);
}
