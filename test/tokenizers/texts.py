"""Texts that tokenizers are compared on: real ones and random ones, from one seed."""
import csv
import os
import random

HERE = os.path.dirname(os.path.abspath(__file__))

HAND_MADE = [
    "", " ", "  ", "\n", "\t \r\n", "a", "Hello World 42!", "it's don't can't I'LL we've 's 'S n't",
    "STRASSE Straße ſtraße ẞ", "İstanbul ISPARTA ıspanak", "Ǆ ǅ ǆ Ŀ ŉ ﬁ ﬀ ﬃ ﬅ", "ΌΣΟΣ ὈΔΥΣΣΕΎΣ",
    "½ ¼ ² ₂ ① ⑳ Ⅷ ™ ℡ ㎏ № ﷺ", "Ｆｕｌｌ　Ｗｉｄｔｈ １２３ ｶﾞｷﾞ", "機械学習は、データから学ぶ。", "中文分词 数据库，人工智能！㐀𠀀豈",
    "ภาษาไทย น้ำ กำ", "한국어 각 각 ᄀᄀ각ᆨ", "הַשָּׁמַיִם שּׁ", "العَرَبِيَّة ﻻ ﷼", "हिन्दी क़ क्षत्रिय বাংলা", "Tiếng Việt ệ ệ ệ",
    "q\u0307\u0323 q\u0323\u0307 e\u0301\u0323 \u00e9\u0323 \u0301\u0323a", "a\u0301\u0001\u0323b",
    "😀 👍🏽 ❤️ 👨‍👩‍👧 🇫🇷🇩🇪 1️⃣ ☺︎ ❤\u200d❤\u0301", "soft\u00adhyphen zero\u200bwidth no\u200cjoin \ufeffbom \u200eltr\u200f",
    "[CLS] hello [SEP] [MASK] [mask] [UNK][PAD]", "<s> a </s><mask> b  <mask>  c<unk><pad>", "x" * 99, "x" * 100, "x" * 101,
    "é" * 100 + " " + "é" * 101, "a" * 3000, "ab " * 2000, "中" * 3000, "ไทย" * 700, "a\u0301" * 700, "\u0301" * 300,
    "aaaa" + " " * 50 + "bbbb   \n\n\n  c", "tabs\tand\vvertical\fform\x1c\x85\u00a0\u2003\u2028\u3000end",
    "1234567890 1,000,000.00 ١٢٣ १२३ ²³", "http://example.org/a?b=c&d=%20#e user@example.org C++ C# .NET",
    "## ##ing ▁ ▁▁a Ġ Ċ <0x41>", "\r\n\r\nFrom: x\r\n > quoted\r\n", "ﬁ\u0301 a\u0308\ufb01 ℌ\u0301 \u212b\u0323 \u1e9b\u0323",
    "\u0600a \u0600é \u110bd \u06dd1", "\u00a9\u200d\u00a9\u0301 \u00ae\ufe0f \u2122\ufe0e", "\u1100\u1161\u11a8 \uac00\u11a8\u0301",
    "\ue000 \U000f0000 \ufffd \uffff \ufdd0 \u0378 \U0001d2c0", "\u0915\u094d\u0937 \u0e33 \u0eb3",
]

# first and last code point of what random texts are made of
POOLS = [
    [(0x20, 0x7E)], [(0x61, 0x7A), (0x20, 0x20), (0x20, 0x20)], [(0x20, 0x7E), (0xA0, 0x17F), (0x300, 0x345)],
    [(0x370, 0x3FF), (0x1F00, 0x1FFF), (0x300, 0x315), (0x342, 0x345), (0x20, 0x22)], [(0x400, 0x52F), (0x483, 0x487), (0x20, 0x22)],
    [(0x531, 0x587), (0x10A0, 0x10FF), (0x1C90, 0x1CBF)], [(0x591, 0x5EA), (0x600, 0x6FF), (0xFB1D, 0xFB4F), (0xFC00, 0xFDFF), (0xFE70, 0xFEFC), (0x20, 0x22)],
    [(0x900, 0x97F), (0x980, 0xDDF), (0x20, 0x22)], [(0xE00, 0x109F), (0x1780, 0x17FF)], [(0xF00, 0xFDA)], [(0x1100, 0x11FF), (0xAC00, 0xAC7F), (0xA960, 0xA97C), (0xD7B0, 0xD7FB)],
    [(0x3000, 0x30FF), (0xFF00, 0xFFEF), (0x4E00, 0x4FFF)], [(0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x2CEAF), (0x2F800, 0x2FA1F), (0x20, 0x2F)],
    [(0x2000, 0x206F), (0x20D0, 0x20F0), (0x2100, 0x22FF), (0xFE00, 0xFE2F), (0x61, 0x63)], [(0x2460, 0x27BF), (0x3200, 0x33FF), (0xFB00, 0xFB06)],
    [(0x10000, 0x1FFFF)], [(0x1D100, 0x1D7FF), (0x1F000, 0x1FAFF), (0x200D, 0x200D), (0xFE0F, 0xFE0F)], [(0x300, 0x36F), (0x1AB0, 0x1AFF), (0x1DC0, 0x1DFF), (0x41, 0x5A), (0xC0, 0xFF)],
    [(0x0, 0x20), (0x7F, 0xA0), (0x61, 0x63), (0x1680, 0x1680), (0x2000, 0x200F), (0x2028, 0x202F), (0x205F, 0x2064), (0x3000, 0x3000), (0xFEFF, 0xFEFF), (0x85, 0x85)],
    [(0x0, 0xFFFF)], [(0x0, 0x10FFFF)], [(0x1E00, 0x1EFF), (0xA640, 0xA7FF), (0x2C00, 0x2DFF)],
    [(0x600, 0x605), (0x6DD, 0x6DD), (0x70F, 0x70F), (0x300, 0x302), (0xA9, 0xA9), (0xAE, 0xAE), (0x2122, 0x2122), (0x200D, 0x200D), (0xFE0F, 0xFE0F), (0xE9, 0xE9), (0xAD, 0xAD), (0x1F1E6, 0x1F1FF), (0x915, 0x915), (0x94D, 0x94D), (0x41, 0x43), (0xA, 0xD), (0xFB01, 0xFB01)],
]
WORDS = ["[CLS]", "[SEP]", "[MASK]", "<s>", "</s>", "<mask>", " <mask> ", "[UNK]", "<pad>", "the", "##s", "'s", "n't", "…", "e\u0301", "Ａ", "\u3000", "  ", "\n", "1", "don't", "  x"]


def random_text(rng):
    pool = rng.choice(POOLS)
    parts = []
    for _ in range(rng.choice([1, 2, 5, 10, 20, 60, 60, 120])):
        kind = rng.random()
        if kind < 0.06:
            parts.append(rng.choice(WORDS))
        elif kind < 0.2:
            parts.append(" ")
        else:
            low, high = rng.choice(pool)
            code = rng.randint(low, high)
            if 0xD800 <= code < 0xE000:
                code = 0x41
            parts.append(chr(code))
    return "".join(parts)


def real_texts(folders):
    with open(os.path.join(HERE, "..", "data", "sms.tsv"), encoding="utf-8", newline="") as file:
        for line in csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
            yield line[1]
    for path in folders:
        with open(path, encoding="utf-8", errors="replace", newline="") as file:
            yield file.read()


def mixed(rng, texts):
    """Pieces of texts in other ones."""
    parts = []
    for _ in range(rng.randint(2, 6)):
        text = rng.choice(texts)
        start = rng.randint(0, max(0, len(text) - 1))
        parts.append(text[start:start + rng.choice([3, 10, 40, 300])])
        if rng.random() < 0.3:
            parts.append(random_text(rng))
    return rng.choice(["", " ", "\n"]).join(parts)


def make_texts(n, seed, folders=()):
    rng = random.Random(seed)
    texts = HAND_MADE + list(real_texts(folders))
    n_real = len(texts)
    while len(texts) < n:
        texts.append(mixed(rng, texts[:n_real]) if rng.random() < 0.3 else random_text(rng))
    return texts
