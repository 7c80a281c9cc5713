#!/usr/bin/env python3
"""Write small tokenizers, and what Hugging Face's tokenizers say about texts with them.

    make_tokenizers.py

Needs the package tokenizers 0.23.3.  The tokenizers go to test/data/tokenizers/NAME.json, if
they are not there: training does not give the same twice.  The answers go to tokenizers.txt.
Its lines are

    tokenizer NAME
    case <text, hex> <pair, hex, or -> <limit of tokens> <flags>
    error
    tokens <truncated> <id>:<type>:<start>:<end> ...
    text <what the ids give back, hex>

with flags as test/tokenizers/tokenize.c has them, spans in bytes; "-" stands for no bytes.
"""
import json
import os
import random
import struct
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "tokenizers"))

import compare
import texts
from tokenizers import (AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers,
                        processors, trainers)

SEED = 20
N_RANDOM = 50
MAX_CHARS = 200
DATA = os.path.join(HERE, "..", "data", "tokenizers")

# a small map as SentencePiece would compile it
REPLACED = {"\ufb01": "fi", "\u00ad": "", "\u3000": " ", "\t": " ", "\n": " ", "\r": " ",
            "\u2460": "1", "\u212b": "\u00c5", "\u00bd": "1\u20442", "e\u0301": "\u00e9", "\ufdfa": "a b",
            "\u200d": "", "\uff21": "A", "\u0001": "", "\u2122": "TM"}


def double_array(entries):
    """The units of darts-clone for a few strings, and the text that they point to"""
    text = b""
    trie = {}
    for key, value in entries.items():
        node = trie
        for byte in key.encode():
            node = node.setdefault(byte, {})
        node[0] = len(text)
        text += value.encode() + b"\0"
    units = {0: 0}
    queue = [(trie, 0)]
    offset = 256
    while queue:
        node, place = queue.pop(0)
        # one block of 256 for each node keeps this simple
        relative = place ^ offset
        units[place] |= relative << 10 if relative < 1 << 21 else 0
        for label, child in node.items():
            if label == 0:
                units[offset] = 1 << 31 | child
                units[place] |= 1 << 8
            else:
                units[offset ^ label] = label
                queue.append((child, offset ^ label))
        offset += 256
    return struct.pack("<I%dI" % offset, 4 * offset, *[units.get(i, 0) for i in range(offset)]) + text


def train(tokenizer, trainer):
    rng = random.Random(SEED)
    strings = [text for text in texts.HAND_MADE if len(text) < 200] + list(texts.real_texts([]))[:400]
    strings += [texts.random_text(rng) for _ in range(20)]
    tokenizer.train_from_iterator([s.replace("\0", "") for s in strings], trainer)


def bert():
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]", max_input_chars_per_word=20))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    train(tokenizer, trainers.WordPieceTrainer(vocab_size=1500, limit_alphabet=500, special_tokens=special,
                                               show_progress=False))
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)])
    tokenizer.add_tokens([AddedToken("Straße", normalized=True), AddedToken("call", single_word=True, normalized=False),
                          AddedToken("<mask>", lstrip=True), AddedToken("Été", rstrip=True, normalized=False)])
    return tokenizer


def roberta():
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    special = ["<s>", "<pad>", "</s>", "<unk>"]
    train(tokenizer, trainers.BpeTrainer(vocab_size=1200, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
                                         special_tokens=special, show_progress=False))
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0), add_prefix_space=False)
    tokenizer.add_special_tokens([AddedToken("<mask>", lstrip=True)])
    return tokenizer


def xlmr():
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.Precompiled(double_array(REPLACED))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()])
    tokenizer.decoder = decoders.Metaspace()
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    train(tokenizer, trainers.UnigramTrainer(vocab_size=1800, special_tokens=special, unk_token="<unk>",
                                             show_progress=False))
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>",
        special_tokens=[("<s>", tokenizer.token_to_id("<s>")), ("</s>", tokenizer.token_to_id("</s>"))])
    return tokenizer


def hex_of(text):
    return text.encode().hex() or "-"


def byte_places(text):
    places = [0]
    for char in text or "":
        places.append(places[-1] + len(char.encode()))
    return places


def write_case(out, tokenizer, case):
    out.write("case %s %s %d %d\n" % (hex_of(case.text), "none" if case.pair is None else hex_of(case.pair),
                                     case.max_tokens, case.flags))
    want = compare.expected(tokenizer, case)
    if want is None:
        out.write("error\n")
        return
    ids, types, spans, text, is_truncated, sequences = want
    places = [byte_places(case.text), byte_places(case.pair)]
    tokens = ["%d:%d:%d:%d" % (i, t, *((0, 0) if s is None else (places[s][a], places[s][b])))
              for i, t, (a, b), s in zip(ids, types, spans, sequences)]
    out.write(" ".join(["tokens", "%d" % is_truncated] + tokens) + "\n")
    out.write("text %s\n" % hex_of(text))


def main():
    os.makedirs(DATA, exist_ok=True)
    rng = random.Random(SEED)
    strings = [text[:MAX_CHARS] for text in texts.HAND_MADE]
    strings += [texts.random_text(rng)[:MAX_CHARS] for _ in range(N_RANDOM)]
    cases = list(compare.make_cases(strings, SEED))
    with open(os.path.join(HERE, "tokenizers.txt"), "w", encoding="ascii") as out:
        for name, maker in (("bert", bert), ("roberta", roberta), ("xlmr", xlmr)):
            path = os.path.join(DATA, name + ".json")
            if not os.path.exists(path):
                with open(path, "w", encoding="utf-8") as file:
                    json.dump(json.loads(maker().to_str()), file, ensure_ascii=False, separators=(",", ":"))
            tokenizer = Tokenizer.from_file(path)
            out.write("tokenizer %s\n" % name)
            for case in cases:
                write_case(out, tokenizer, case)


if __name__ == "__main__":
    main()
