#!/usr/bin/env python3
"""Write tokenizer_tables.h: what Hugging Face's tokenizers know about characters.

    make_tokenizer_tables.py [directory of the Unicode Character Database] > tokenizer_tables.h

Needs the Python package tokenizers, and asks it about every character: its parts have
tables of several Unicode versions, older and newer than ours, and ids must be equal.  What
it cannot be asked (kinds of grapheme breaks that do not join to a letter) is from the
database, by default where Debian's package unicode-data puts it.  The output is checked in.
"""
import os
import struct
import sys
import unicodedata

import tokenizers
from tokenizers import Regex, normalizers, pre_tokenizers

from make_unicode_tables import BLOCK, HANGUL, N_CODES, Blocks, Database, Sequences, width, write_array

REFERENCE_VERSION = "0.23.3"
SURROGATES = range(0xD800, 0xE000)

FLAGS = ["DROPPED", "SPACE", "PUNCTUATION", "IDEOGRAPH", "NONSPACING", "LETTER", "NUMBER",
         "WORD", "MARK", "CUT"]
BREAKS = ["OTHER", "CR", "LF", "CONTROL", "EXTEND", "ZWJ", "REGIONAL", "PREPEND", "SPACING",
          "HANGUL_L", "HANGUL_V", "HANGUL_T", "HANGUL_LV", "HANGUL_LVT", "PICTOGRAPH"]
BREAK_NAMES = {"CR": "CR", "LF": "LF", "Control": "CONTROL", "Extend": "EXTEND", "ZWJ": "ZWJ",
               "Regional_Indicator": "REGIONAL", "Prepend": "PREPEND", "SpacingMark": "SPACING",
               "L": "HANGUL_L", "V": "HANGUL_V", "T": "HANGUL_T", "LV": "HANGUL_LV",
               "LVT": "HANGUL_LVT"}

# BERT's blocks of ideographs; one of them begins later than it should in the reference
IDEOGRAPHS = [(0x4E00, 0x9FFF), (0x3400, 0x4DBF), (0x20000, 0x2A6DF), (0x2A700, 0x2B73F),
              (0x2B740, 0x2B81F), (0x2B920, 0x2CEAF), (0xF900, 0xFAFF), (0x2F800, 0x2FA1F)]


def one_entry_map(key, value):
    """A precompiled map of SentencePiece that replaces one ASCII character."""
    units = [0] * 1024
    units[0] = 256 << 10
    place = 256 ^ ord(key)
    units[place] = ord(key) | 1 << 8 | (place ^ 512) << 10
    units[512] = 1 << 31
    return struct.pack("<I1024I", 4 * len(units), *units) + value.encode() + b"\0"


class Reference:
    """One question each."""

    def __init__(self, database):
        def bert(clean=False, ideographs=False, accents=False):
            return normalizers.BertNormalizer(clean_text=clean, handle_chinese_chars=ideographs,
                                              strip_accents=accents, lowercase=False)

        def matches(pattern):
            return pre_tokenizers.Split(Regex(pattern), "removed")

        self.clean, self.ideographs, self.accents = bert(clean=True), bert(ideographs=True), bert(accents=True)
        self.bert_words = pre_tokenizers.BertPreTokenizer()
        self.words = pre_tokenizers.Whitespace()
        self.letter, self.number, self.space = matches(r"\p{L}"), matches(r"\p{N}"), matches(r"\s")
        self.lower, self.nfd = normalizers.Lowercase(), normalizers.NFD()
        self.marks = normalizers.StripAccents()
        self.joins = normalizers.Precompiled(one_entry_map("a", "X"))

        # one mark of each combining class that the reference knows, for comparisons
        self.classes = []
        for value in sorted(set(database.ccc) - {0}):
            marks = [chr(c) for c in range(N_CODES)
                     if database.ccc[c] == value and c not in database.canonical]
            lower = [mark for _, mark in self.classes]
            for mark in marks:
                if all(self.nfd.normalize_str(mark + other) == other + mark for other in lower):
                    self.classes.append((value, mark))
                    break
            else:
                assert value == 6 or value == self.classes[0][0]

    def combining_class(self, char):
        """By where it is put among marks whose classes are known."""
        if self.nfd.normalize_str(char) != char:
            return 0            # decomposed before it is put anywhere
        (_, lowest), (_, highest) = self.classes[0], self.classes[-1]
        if (char not in (lowest, highest) and self.nfd.normalize_str(char + lowest) == char + lowest
                and self.nfd.normalize_str(highest + char) == highest + char):
            return 0
        for value, mark in self.classes:
            if (char == mark or self.nfd.normalize_str(mark + char) == mark + char
                    and self.nfd.normalize_str(char + mark) == char + mark):
                return value
        raise AssertionError("a combining class that is not known")

    def flags(self, char):
        cleaned = self.clean.normalize_str(char)
        bert = len(self.bert_words.pre_tokenize_str("a" + char + "a"))
        word = len(self.words.pre_tokenize_str("a" + char + "a"))
        is_space = bert == 2
        assert is_space == (not self.space.pre_tokenize_str(char)) == (word == 2)
        assert cleaned in ("", " " if is_space else char)
        is_ideograph = any(low <= ord(char) <= high for low, high in IDEOGRAPHS)
        assert self.ideographs.normalize_str(char) == (" " + char + " " if is_ideograph else char)
        is_nonspacing = self.accents.normalize_str(char) == ""
        is_letter = not self.letter.pre_tokenize_str(char)
        is_number = not self.number.pre_tokenize_str(char)
        assert not (is_letter and is_number)
        return {"DROPPED": cleaned == "", "SPACE": is_space, "PUNCTUATION": bert == 3,
                "IDEOGRAPH": is_ideograph, "NONSPACING": is_nonspacing, "LETTER": is_letter,
                "NUMBER": is_number, "WORD": word == 1,
                "MARK": self.marks.normalize_str(char) == "",
                "CUT": (is_letter or is_number) and is_plain(char)}

    def lower_delta(self, char):
        lower = self.lower.normalize_str(char)
        if char == "\u0130":
            assert lower == "i\u0307"
            return 0
        assert len(lower) == 1
        return ord(lower) - ord(char)


def is_plain(char):
    """Letter or number also when it is taken apart."""
    text = unicodedata.normalize("NFKD", char)
    return all(unicodedata.category(c)[0] in "LN" for c in (text[0], text[-1]))


def read_breaks(database, reference):
    breaks = {c: BREAK_NAMES[f[0]]
              for c, f in database.rows("auxiliary/GraphemeBreakProperty.txt")}
    for code, fields in database.rows("emoji/emoji-data.txt"):
        if fields[0] == "Extended_Pictographic":
            breaks.setdefault(code, "PICTOGRAPH")
    for code in range(N_CODES):
        if code in SURROGATES:
            continue
        joins = reference.joins.normalize_str("a" + chr(code)) == "X"
        if joins != (breaks.get(code) in ("EXTEND", "ZWJ", "SPACING")):
            breaks[code] = "EXTEND" if joins else "OTHER"
    return breaks


HEAD = """/*-------------------------------------------------------------------------
 * tokenizer_tables.h
 *		What tokenizer_chars.h says about characters.
 *
 * Generated by make_tokenizer_tables.py from the answers of Hugging Face's
 * tokenizers %s, and from the Unicode Character Database 15.0.0, which is
 * Copyright (c) 1991-2022 Unicode, Inc., https://www.unicode.org/license.txt;
 * do not edit.
 *-------------------------------------------------------------------------
 */
#ifndef AI_TOKENIZER_TABLES_H
#define AI_TOKENIZER_TABLES_H

#include "core/text/tokenizer_chars.h"

#define BLOCK_BITS %d
#define BLOCK_MASK %d
"""


def main():
    assert tokenizers.__version__ == REFERENCE_VERSION, "another version of the reference"
    database = Database(sys.argv[1] if len(sys.argv) > 1 else "/usr/share/unicode")
    reference = Reference(database)
    breaks = read_breaks(database, reference)
    nothing = (0, 0, 0, 0)
    by_code = [nothing] * N_CODES
    sequence = [None] * N_CODES
    for code in range(N_CODES):
        if code in SURROGATES:
            continue
        char = chr(code)
        named = reference.flags(char)
        bits = sum(1 << i for i, name in enumerate(FLAGS) if named[name])
        by_code[code] = (reference.lower_delta(char), bits, reference.combining_class(char),
                         BREAKS.index(breaks.get(code, "OTHER")))
        taken_apart = [ord(c) for c in reference.nfd.normalize_str(char)]
        if code not in HANGUL and taken_apart != [code]:
            sequence[code] = taken_apart

    records = sorted(set(by_code), key=by_code.index)
    numbers = {record: i for i, record in enumerate(records)}
    record_blocks = Blocks()
    record_stage = record_blocks.first_stage([numbers[r] for r in by_code])
    sequences = Sequences()
    sequence_blocks = Blocks()
    sequence_stage = sequence_blocks.first_stage([sequences.place(s) for s in sequence])

    out = [HEAD % (REFERENCE_VERSION, BLOCK.bit_length() - 1, BLOCK - 1)]
    write_array(out, "AiTokenizerChar", "char_records", records, "{%d, %d, %d, %d}")
    for name, values, form in [
            ("record_blocks", record_stage, "%d"),
            ("record_numbers", record_blocks.values, "%d"),
            ("sequence_blocks", sequence_stage, "%d"),
            ("sequence_places", sequence_blocks.values, "%d"),
            ("sequence_words", sequences.words, "0x%X")]:
        write_array(out, "uint%d_t" % width(values), name, values, form)
    out.append("#endif\t\t\t\t\t\t\t/* AI_TOKENIZER_TABLES_H */")
    print("\n".join(out))


if __name__ == "__main__":
    main()
