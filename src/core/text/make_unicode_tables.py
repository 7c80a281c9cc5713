#!/usr/bin/env python3
"""Write unicode_tables.h from the Unicode Character Database.

    make_unicode_tables.py [directory of the database] > unicode_tables.h

The directory is by default where Debian's package unicode-data puts it.  The
output is checked in: a newer database changes what models read, so it takes a
new version of the model format, not just a run of this script.
"""
import os
import sys

UNICODE_VERSION = "15.0.0"
N_CODES = 0x110000
BLOCK = 128                 # code points per block of the two-stage tables
MAX_DELTAS = 64             # more distances than these go through the sequences

KINDS = ["SPACE", "LETTER", "DIGIT", "MARK", "IDEOGRAPH", "SYMBOL"]
SPACE, LETTER, DIGIT, MARK, IDEOGRAPH, SYMBOL = range(6)
UPPER = 0x80                # as AI_CHAR_UPPER

# flags of a character's record, as written into the header
DIRECT_PLAIN, DIRECT_FOLD, STARTS_PLAIN, STARTS_FOLD = 1, 2, 4, 8

ZERO_WIDTH_SPACE = 0x200B
HANGUL = range(0xAC00, 0xD7A4)
UNSPACED_SCRIPTS = {"Hani", "Hira", "Kana", "Bopo"}


class Database:
    """The properties this program needs, each a list or dict by code point."""

    def __init__(self, directory):
        self.directory = directory
        self.category = ["Cn"] * N_CODES
        self.ccc = [0] * N_CODES
        self.canonical = {}     # one step, both lists of code points
        self.compatible = {}
        self.read_unicode_data()

        self.white_space = self.read_set("PropList.txt", "White_Space")
        self.prepended = self.read_set("PropList.txt", "Prepended_Concatenation_Mark")
        self.uppercase = self.read_set("DerivedCoreProperties.txt", "Uppercase")
        self.ignorable = self.read_set("DerivedCoreProperties.txt",
                                       "Default_Ignorable_Code_Point")
        self.excluded = self.read_set("DerivedNormalizationProps.txt",
                                      "Full_Composition_Exclusion")
        self.nfc_not_yes = self.read_set("DerivedNormalizationProps.txt", "NFC_QC")
        self.line_break = {c: f[0] for c, f in self.rows("LineBreak.txt")}
        self.scripts = self.read_scripts()
        self.nfkc_casefold = {
            c: [int(x, 16) for x in f[1].split()]
            for c, f in self.rows("DerivedNormalizationProps.txt") if f[0] == "NFKC_CF"}

    def lines(self, name):
        with open(os.path.join(self.directory, name), encoding="utf-8") as file:
            for line in file:
                line = line.split("#")[0].strip()
                if line:
                    yield [field.strip() for field in line.split(";")]

    def rows(self, name):
        """Yield (code point, the fields after it), ranges taken apart."""
        for fields in self.lines(name):
            first, _, last = fields[0].partition("..")
            for code in range(int(first, 16), int(last or first, 16) + 1):
                yield code, fields[1:]

    def read_set(self, name, prop):
        return {code for code, fields in self.rows(name) if fields[0] == prop}

    def read_scripts(self):
        short = {f[2]: f[1] for f in self.lines("PropertyValueAliases.txt") if f[0] == "sc"}
        scripts = {c: {short[f[0]]} for c, f in self.rows("Scripts.txt")}
        scripts.update((c, set(f[0].split())) for c, f in self.rows("ScriptExtensions.txt"))
        return scripts

    def read_unicode_data(self):
        first = None
        for fields in self.lines("UnicodeData.txt"):
            code = int(fields[0], 16)
            if fields[1].endswith(", First>"):
                first = code
                continue
            for c in range(first or code, code + 1):
                self.category[c] = fields[2]
            first = None
            self.ccc[code] = int(fields[3])
            if fields[5].startswith("<"):
                self.compatible[code] = [int(x, 16) for x in fields[5].split()[1:]]
            elif fields[5]:
                self.canonical[code] = [int(x, 16) for x in fields[5].split()]

    def decompose(self, codes, compatible):
        """NFD or NFKD, but for Hangul syllables, which stay."""
        out = []
        for code in codes:
            step = self.canonical.get(code) or (compatible and self.compatible.get(code))
            out += self.decompose(step, compatible) if step else [code]
        start = 0
        for i in range(len(out) + 1):
            if i == len(out) or self.ccc[out[i]] == 0:
                out[start:i] = sorted(out[start:i], key=lambda c: self.ccc[c])
                start = i
        return out

    def kind(self, code):
        category = self.category[code]
        if category == "Cc" or code in self.white_space:
            return SPACE
        if category[0] in "LM" or category == "Nl":
            if (self.line_break.get(code) in ("ID", "CJ", "SA")
                    or self.scripts.get(code, {None}) <= UNSPACED_SCRIPTS):
                return IDEOGRAPH
        if category == "Cf" and code not in self.prepended:
            return MARK if 0x13430 <= code <= 0x1343F else SPACE
        return {"L": LETTER, "N": DIGIT, "M": MARK}.get(category[0], SYMBOL)


class Mapping:
    """What every character becomes, fully decomposed; None is itself."""

    def __init__(self, ucd, fold):
        self.ucd = ucd
        self.sequence = [None] * N_CODES
        for code in range(N_CODES):
            mapped = self.map(code, fold)
            if mapped != [code]:
                self.sequence[code] = mapped

    def map(self, code, fold):
        if code == ZERO_WIDTH_SPACE:
            return [0x20]
        if fold:
            return self.ucd.decompose(self.ucd.nfkc_casefold.get(code, [code]), False)
        if code in self.ucd.ignorable:
            return []
        mapped = self.ucd.decompose([code], True)
        assert not self.ucd.ignorable.intersection(mapped)
        return mapped

    def starts(self, code):
        """True when what stands before code cannot change or be changed by it."""
        sequence = self.sequence[code]
        first = code if sequence is None else sequence[0] if sequence else None
        return first is not None and not self.ucd.ccc[first] and first not in self.ucd.nfc_not_yes


def single(ucd, code, fold):
    """The one character code becomes when NFC by itself, or None."""
    if code == ZERO_WIDTH_SPACE:
        return None
    if fold:
        mapped = ucd.nfkc_casefold.get(code, [code])
    else:
        mapped = [code]
        if code in ucd.ignorable or ucd.decompose([code], True) != ucd.decompose([code], False):
            return None
    if len(mapped) != 1 or mapped[0] in ucd.nfc_not_yes:
        return None
    return mapped[0]


def make_records(ucd, plain, fold):
    """One record per character: (delta, kind, flags, ccc)."""
    records = []
    deltas = {}
    for code in range(N_CODES):
        folded = single(ucd, code, True)
        if folded is not None:
            deltas[folded - code] = deltas.get(folded - code, 0) + 1
    common = set(sorted(deltas, key=lambda d: (-deltas[d], d))[:MAX_DELTAS])

    for code in range(N_CODES):
        kind = ucd.kind(code)
        flags = 0
        delta = 0
        if single(ucd, code, False) is not None:
            flags |= DIRECT_PLAIN
        folded = single(ucd, code, True)
        if folded is not None and folded - code in common and ucd.ccc[folded] == ucd.ccc[code]:
            flags |= DIRECT_FOLD
            delta = folded - code
            # one kind serves both modes
            assert not flags & DIRECT_PLAIN or kind == ucd.kind(folded)
            kind = ucd.kind(folded)
        if plain.starts(code):
            flags |= STARTS_PLAIN
        if fold.starts(code):
            flags |= STARTS_FOLD
        if code in ucd.uppercase or ucd.category[code] == "Lt":
            kind |= UPPER
        records.append((delta, kind, flags, ucd.ccc[code]))
    return records


class Sequences:
    """All mapped sequences in one array; the first word of each has its length."""

    def __init__(self):
        self.words = [0]            # place 0 means: the character itself
        self.places = {}

    def place(self, sequence):
        if sequence is None:
            return 0
        key = tuple(sequence)
        if key not in self.places:
            self.places[key] = len(self.words)
            words = list(sequence) or [0]
            words[0] |= len(sequence) << 24
            self.words += words
        return self.places[key]


class Blocks:
    """Second stages that share equal blocks."""

    def __init__(self):
        self.values = []
        self.numbers = {}

    def first_stage(self, values):
        stage = []
        for start in range(0, N_CODES, BLOCK):
            block = tuple(values[start:start + BLOCK])
            if block not in self.numbers:
                self.numbers[block] = len(self.numbers)
                self.values += block
            stage.append(self.numbers[block])
        return stage


def make_pairs(ucd):
    """Primary composites: (first, second, composite), sorted; Hangul is computed."""
    return sorted((d[0], d[1], code) for code, d in ucd.canonical.items()
                  if len(d) == 2 and code not in ucd.excluded)


def width(values):
    return 8 if max(values) < 1 << 8 else 16 if max(values) < 1 << 16 else 32


def write_array(out, kind, name, values, form="%d"):
    out.append("static const %s %s[%d] =\n{" % (kind, name, len(values)))
    line = "\t"
    for value in values:
        text = form % value + ","
        if len(line) + len(text) > 88:
            out.append(line.rstrip())
            line = "\t"
        line += text + " "
    out.append(line.rstrip() + "\n};\n")


HEAD = """/*-------------------------------------------------------------------------
 * unicode_tables.h
 *		What unicode.c knows about characters.
 *
 * Generated by make_unicode_tables.py from the Unicode Character Database
 * %s; do not edit.  Derived from data files that are
 * Copyright (c) 1991-2022 Unicode, Inc., https://www.unicode.org/license.txt
 *-------------------------------------------------------------------------
 */
#ifndef AI_UNICODE_TABLES_H
#define AI_UNICODE_TABLES_H

#include <stdint.h>

#define AI_UNICODE_VERSION "%s"

#define BLOCK_BITS %d
#define BLOCK_MASK %d

/* Flags: the low one of a pair is of the plain mapping, the other with folding */
#define DIRECT_PLAIN %d			/* becomes one character, composed, in quick-check form */
#define DIRECT_FOLD %d
#define STARTS_PLAIN %d			/* what stands before is complete */
#define STARTS_FOLD %d

typedef struct CharRecord
{
	int32_t		delta;			/* to the folded character, if DIRECT_FOLD */
	uint8_t		kind;			/* a kind byte; the flag is of the source */
	uint8_t		flags;
	uint8_t		ccc;			/* also of the character it directly becomes */
} CharRecord;

typedef struct CharPair
{
	uint32_t	first;
	uint32_t	second;
	uint32_t	composite;
} CharPair;
"""


def main():
    ucd = Database(sys.argv[1] if len(sys.argv) > 1 else "/usr/share/unicode")
    with open(os.path.join(ucd.directory, "PropList.txt"), encoding="utf-8") as file:
        assert UNICODE_VERSION in file.readline(), "another version of the database"
    plain = Mapping(ucd, False)
    fold = Mapping(ucd, True)

    by_code = make_records(ucd, plain, fold)
    records = sorted(set(by_code), key=lambda r: (by_code.index(r)))
    numbers = {record: i for i, record in enumerate(records)}
    record_blocks = Blocks()
    record_stage = record_blocks.first_stage([numbers[r] for r in by_code])

    sequences = Sequences()
    sequence_blocks = Blocks()
    stages = [sequence_blocks.first_stage([sequences.place(s) for s in m.sequence])
              for m in (plain, fold)]
    pairs = make_pairs(ucd)
    assert len(records) < 1 << 8 and len(sequences.words) < 1 << 16

    out = [HEAD % (UNICODE_VERSION, UNICODE_VERSION, BLOCK.bit_length() - 1, BLOCK - 1,
                   DIRECT_PLAIN, DIRECT_FOLD, STARTS_PLAIN, STARTS_FOLD)]
    write_array(out, "CharRecord", "char_records", records, "{%d, %d, %d, %d}")
    sizes = [8 * len(records), 12 * len(pairs)]
    for name, values, form in [
            ("record_blocks", record_stage, "%d"),
            ("record_numbers", record_blocks.values, "%d"),
            ("plain_blocks", stages[0], "%d"),
            ("fold_blocks", stages[1], "%d"),
            ("sequence_places", sequence_blocks.values, "%d"),
            ("sequence_words", sequences.words, "0x%X")]:
        write_array(out, "uint%d_t" % width(values), name, values, form)
        sizes.append(len(values) * width(values) // 8)
    write_array(out, "CharPair", "char_pairs", pairs, "{0x%X, 0x%X, 0x%X}")
    out.append("#endif\t\t\t\t\t\t\t/* AI_UNICODE_TABLES_H */")
    print("\n".join(out))
    print("%d records, %d bytes: %s" % (len(records), sum(sizes), sizes), file=sys.stderr)


if __name__ == "__main__":
    main()
