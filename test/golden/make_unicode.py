#!/usr/bin/env python3
"""Write unicode.txt: what core/text/unicode.c must make of strings in many scripts.

    make_unicode.py [directory of the Unicode Character Database] > unicode.txt

A naive reference, independent of the tables in the tree: Python's unicodedata
decomposes, orders and composes, the database gives NFKC_Casefold.  Only
characters that this Python knows are used.  Lines are

    plain|fold <source bytes, hex> <code>:<start>:<end> ...

with codes in hex and byte offsets of the source in decimal.
"""
import bz2
import os
import random
import sys
import unicodedata

MAX_MARKS = 30
EVERY_NTH_LINE = 120        # of NormalizationTest.txt
N_RANDOM = 6                # strings per pool

HAND_MADE = """
Hello World 42!
I don't _know_: foo@example.org/~a?b=c&d=%20
STRASSE Straße ſtraße ẞ
İstanbul ISPARTA ıspanak
Ǆ ǅ ǆ Ŀ ŉ ﬁ ﬀ ﬃ ﬅ
ΌΣΟΣ ὈΔΥΣΣΕΎΣ ᾳ ᾼ ᾷ ΐ
Ѐ Ё Й й Ӂ ѷ ЖЁЛТЫЙ
½ ¼ ² ₂ ① ⑳ Ⅷ ⅷ ™ ℡ ㎏ ㏂ № ℵ ﷺ ﷲ
Ｆｕｌｌ　Ｗｉｄｔｈ １２３ ｶﾞｷﾞｸﾞ ﾊﾟ ｱｰ
機械学習は、データから学ぶ。 ベル ヘ゛ が ガ
中文分词 数据库，人工智能！ 㐀 𠀀 豈 都
ภาษาไทย น้ำ กำ ที่ เป็น ຄຳ ភាសាខ្មែរ မြန်မာ
한국어 각 각 각 ᄀᄀ각ᆨ ㄱㅏ ﾡￂ 힣ᇂ
הַשָּׁמַיִם שּׁ ﭏ ﬡ
العَرَبِيَّة ﻻ ﷼ آ أ ؤ ۀ ٣٤
हिन्दी क़ ऩ क्षत्रिय বাংলা ো தமிழ் ொ ಕೊ ೋ සිංහල ේ
Tiếng Việt ệ ệ ệ ệ ặ
Å Å Å q̣̇ q̣̇ ḍ̇ ḍ̇
😀 👍🏽 ❤️ 👨‍👩‍👧 🇫🇷 1️⃣ ☺︎
soft­hyphen zero​width no‌join join‍er ﻿bom ‎ltr‏ ⁠wj
a͏́ a­́ a‍̈ ᠋ ᅟㅤﾠ
a b c d　e f
𝐀𝑩𝒞 𝟎𝟙 ｟ ︵ ﹏ … ‥ ‰ ″ ‴
ͅα ᾳ ͅ
""".strip("\n").split("\n")

HAND_MADE_BYTES = [
    b"caf\xe9 na\xefve \xc0\xc9",                       # Latin-1
    b"\xad\x80\x9f\xa0\xbd",
    b"\xc0\x80 \xc1\xbf \xe0\x80\x80 \xf0\x80\x80\x80",   # overlong
    b"\xed\xa0\x80 \xed\xbf\xbf \xf4\x90\x80\x80 \xf5 \xff\xfe",
    b"\xe4\xb8", b"\xf0\x9f\x98", b"\xc3", b"a\xcc", b"\xe4\xb8A\xb8",
    b"e\xcc\x81\xcc", b"E\xcc\x81\x80\xcc\x81", b"A\x00B\x7f\x1b\t\r\n",
]

# first and last code point of what random strings are made of
POOLS = {
    "latin": [(0x20, 0x7E), (0xA0, 0x17F), (0x1E00, 0x1EFF), (0x300, 0x345)],
    "greek": [(0x370, 0x3FF), (0x1F00, 0x1FFF), (0x300, 0x315), (0x342, 0x345)],
    "cyrillic": [(0x400, 0x4FF), (0x483, 0x487), (0x300, 0x30C)],
    "armenian georgian": [(0x531, 0x587), (0x10A0, 0x10FF), (0x1C90, 0x1CBF)],
    "hebrew arabic": [(0x5B0, 0x5EA), (0x610, 0x65F), (0xFB1D, 0xFB4F), (0xFE70, 0xFEFC)],
    "indic": [(0x900, 0x97F), (0x985, 0x9D7), (0xB3C, 0xB57), (0xBBE, 0xBD7), (0xCBF, 0xCD6)],
    "south": [(0xD3E, 0xD57), (0xDCA, 0xDDF), (0x1025, 0x103A), (0xE31, 0xE4E), (0xEB1, 0xECD)],
    "tibetan": [(0xF40, 0xFBC)],
    "balinese": [(0x1B05, 0x1B44)],
    "jamo": [(0x1100, 0x1112), (0x1161, 0x1175), (0x11A7, 0x11C2), (0xAC00, 0xAC1F)],
    "kana": [(0x3041, 0x30FF), (0xFF66, 0xFF9F), (0x3099, 0x309A)],
    "han": [(0x4E00, 0x9FFF), (0xF900, 0xFAD9), (0x2F800, 0x2FA1D), (0x20000, 0x2A6DF)],
    "compatibility": [(0x2100, 0x218B), (0x2460, 0x24FF), (0x3200, 0x33FF), (0xFB00, 0xFB06)],
    "symbols": [(0x2000, 0x206F), (0x20D0, 0x20F0), (0x2190, 0x22FF), (0xFE00, 0xFE0F)],
    "astral": [(0x10400, 0x10427), (0x11099, 0x110BA), (0x1D15E, 0x1D164), (0x1D400, 0x1D4FF),
               (0x1F600, 0x1F64F), (0x1E900, 0x1E94A), (0x1D165, 0x1D172)],
    "marks": [(0x300, 0x36F), (0x5B0, 0x5BD), (0x64B, 0x655), (0x1DC0, 0x1DFF), (0xE38, 0xE3A),
              (0x41, 0x5A)],
}


def read_rows(directory, name):
    with open(os.path.join(directory, name), encoding="utf-8") as file:
        for line in file:
            fields = [field.strip() for field in line.split("#")[0].split(";")]
            if len(fields) > 1:
                first, _, last = fields[0].partition("..")
                for code in range(int(first, 16), int(last or first, 16) + 1):
                    yield code, fields[1:]


class Reference:
    def __init__(self, directory):
        self.casefold = {c: "".join(chr(int(x, 16)) for x in f[1].split())
                         for c, f in read_rows(directory, "DerivedNormalizationProps.txt")
                         if f[0] == "NFKC_CF"}
        self.ignorable = {c for c, f in read_rows(directory, "DerivedCoreProperties.txt")
                          if f[0] == "Default_Ignorable_Code_Point"}

    def map(self, code, fold):
        if code == 0x200B:
            return " "
        if fold:
            return unicodedata.normalize("NFD", self.casefold.get(code, chr(code)))
        return "" if code in self.ignorable else unicodedata.normalize("NFKD", chr(code))

    def normalize(self, source, fold):
        """A list of (code, start, end)."""
        groups = [[]]           # cut before the 31st of marks in a row
        n_marks = 0
        for code, start, end in read_characters(source):
            for char in self.map(code, fold):
                n_marks = n_marks + 1 if unicodedata.combining(char) else 0
                if n_marks > MAX_MARKS:
                    groups.append([])
                    n_marks = 1
                groups[-1].append((char, start, end))
        result = []
        for group in groups:
            composed = compose(order(group))
            text = "".join(c[0] for c in group)
            assert "".join(c[0] for c in composed) == unicodedata.normalize("NFC", text)
            result += composed
        return [(ord(char), start, end) for char, start, end in result]


def read_characters(source):
    pos = 0
    while pos < len(source):
        for size in (1, 2, 3, 4):
            try:
                yield ord(source[pos:pos + size].decode("utf-8")), pos, pos + size
                break
            except (UnicodeDecodeError, TypeError):
                pass
        else:
            size = 1
            yield source[pos], pos, pos + 1
        pos += size


def order(chars):
    chars = list(chars)
    for i in range(len(chars)):
        while i > 0 and 0 < unicodedata.combining(chars[i][0]) < unicodedata.combining(chars[i - 1][0]):
            chars[i - 1], chars[i] = chars[i], chars[i - 1]
            i -= 1
    return chars


def compose(chars):
    out = []
    starter = None
    for char, start, end in chars:
        ccc = unicodedata.combining(char)
        if starter is not None:
            last = unicodedata.combining(out[-1][0]) if len(out) - 1 > starter else -1
            pair = unicodedata.normalize("NFC", out[starter][0] + char)
            if last < ccc and len(pair) == 1:
                out[starter] = (pair, out[starter][1], max(out[starter][2], end))
                continue
        if ccc == 0:
            starter = len(out)
        out.append((char, start, end))
    return out


def is_known(text):
    return all(unicodedata.category(char) != "Cn" for char in text)


def standard_strings(directory):
    with bz2.open(os.path.join(directory, "NormalizationTest.txt.bz2"), "rt", encoding="utf-8") as file:
        lines = [line for line in file if line[0] not in "#@"]
    for line in lines[:24] + lines[24::EVERY_NTH_LINE]:
        text = "".join(chr(int(x, 16)) for x in line.split(";")[0].split())
        if is_known(text):
            yield text


def random_strings(rng):
    for ranges in POOLS.values():
        chars = [chr(c) for a, b in ranges for c in range(a, b + 1) if is_known(chr(c))]
        for _ in range(N_RANDOM):
            yield "".join(rng.choice(chars) for _ in range(rng.randint(1, 24)))


def long_runs(rng):
    marks = [chr(c) for c in range(0x300, 0x370) if c != 0x34F]
    for n in (29, 30, 31, 32, 59, 60, 61, 95):
        yield "a" + "".join(rng.choice(marks) for _ in range(n)) + "b"
        yield "".join(rng.choice(marks) for _ in range(n)) + "E\u0301"
    yield "E" + "\u0323\u0301" * 20 + "\u00AD" * 40 + "\u0307" * 35
    yield "a" * 70 + "\u0301" + "b" * 70
    yield "\u1161" * 70 + "\u1100\u1161\u11A8" * 3
    yield "\u0E01" + "\u0E49" * 40
    yield "\uFDFA" * 5 + "\u0344" * 16


def main():
    directory = sys.argv[1] if len(sys.argv) > 1 else "/usr/share/unicode"
    rng = random.Random(15)
    reference = Reference(directory)
    texts = HAND_MADE + list(standard_strings(directory)) + list(random_strings(rng)) + \
        list(long_runs(rng))
    for source in [text.encode("utf-8") for text in texts] + HAND_MADE_BYTES:
        for mode in ("plain", "fold"):
            result = reference.normalize(source, mode == "fold")
            print(mode, source.hex(), *["%X:%d:%d" % char for char in result])


if __name__ == "__main__":
    main()
