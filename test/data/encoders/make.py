#!/usr/bin/env python3
"""Tiny encoders with random weights, as transformers and sentence-transformers store them.

usage: make.py        beside itself, and always the same bytes

embedder.tar    BERT with mean pooling and length 1, in BF16: words of everyday English and letters
classifier.tar  BERT that says of two texts whether one follows from the other, in F16
static.tar      a table of vectors, one for each word, in F32
"""

import io
import json
import pathlib
import random
import struct
import tarfile

HERE = pathlib.Path(__file__).resolve().parent
WORDS = """the a an of to in and is it you that he was for on are with as his they be at one have
this from or had by not but what all were we when your can said there use each which she do how
their if will up other about out many then them these so some her would make like him into time
has look two more go see no way could people my than first water been call who its now find long
down day did get come made may part cat dog sat mat runs sleeps eats red blue green fish market
price falls rises today free win prize lunch meet friend music guitar plays""".split()
WIDTH, INNER, LAYERS, POSITIONS = 32, 64, 2, 40


def vocabulary():
    letters = [chr(c) for c in range(ord("a"), ord("z") + 1)] + list("0123456789.,!?'-:é")
    pieces = ["##" + c for c in letters] + ["##s", "##ing", "##ed", "##er", "##ly"]
    pieces = list(dict.fromkeys(pieces))
    return ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] + letters + pieces + \
        [w for w in dict.fromkeys(WORDS) if len(w) > 1]


def tensors(head, n_words):
    """Names and shapes, in the order of the file."""
    yield "embeddings.word_embeddings.weight", [n_words, WIDTH]
    yield "embeddings.position_embeddings.weight", [POSITIONS, WIDTH]
    yield "embeddings.token_type_embeddings.weight", [2, WIDTH]
    yield from norm("embeddings.LayerNorm")
    for i in range(LAYERS):
        layer = f"encoder.layer.{i}."
        for name in ("attention.self.query", "attention.self.key", "attention.self.value",
                     "attention.output.dense"):
            yield from linear(layer + name, WIDTH, WIDTH)
        yield from norm(layer + "attention.output.LayerNorm")
        yield from linear(layer + "intermediate.dense", INNER, WIDTH)
        yield from linear(layer + "output.dense", WIDTH, INNER)
        yield from norm(layer + "output.LayerNorm")
    if head:
        yield from linear("pooler.dense", WIDTH, WIDTH)


def linear(name, n, k):
    yield name + ".weight", [n, k]
    yield name + ".bias", [n]


def norm(name):
    yield name + ".weight", [WIDTH]
    yield name + ".bias", [WIDTH]


def safetensors(shapes, rng, dtype):
    size = {"F32": 4, "F16": 2, "BF16": 2}[dtype]
    header, data = {}, b""
    for name, shape in shapes:
        n = shape[0] * (shape[1] if len(shape) > 1 else 1)
        middle = 1.0 if "LayerNorm.weight" in name else 0.0
        spread = 0.3 if len(shape) > 1 else 0.1
        values = [middle + rng.gauss(0, spread) for _ in range(n)]
        begin = len(data)
        data += pack(values, dtype)
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [begin, begin + n * size]}
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + data


def pack(values, dtype):
    if dtype == "F16":
        return struct.pack(f"<{len(values)}e", *values)
    singles = struct.pack(f"<{len(values)}f", *values)
    if dtype == "F32":
        return singles
    return b"".join(singles[i + 2:i + 4] for i in range(0, len(singles), 4))


def as_json(value):
    return (json.dumps(value, indent=1, ensure_ascii=False) + "\n").encode()


def bert_files(seed, dtype, **more):
    vocab = vocabulary()
    labels = more.get("id2label")
    shapes = list(tensors(labels, len(vocab)))
    if labels:
        shapes = [("bert." + name, shape) for name, shape in shapes]
        shapes += list(linear("classifier", len(labels), WIDTH))
    return {
        "config.json": as_json({
            "architectures": ["BertForSequenceClassification" if labels else "BertModel"],
            "model_type": "bert", "hidden_act": "gelu", "hidden_size": WIDTH,
            "intermediate_size": INNER, "layer_norm_eps": 1e-12,
            "max_position_embeddings": POSITIONS, "num_attention_heads": 2,
            "num_hidden_layers": LAYERS, "pad_token_id": 0, "type_vocab_size": 2,
            "vocab_size": len(vocab)} | more),
        "model.safetensors": safetensors(shapes, random.Random(seed), dtype),
        "tokenizer_config.json": as_json({"do_lower_case": True, "model_max_length": POSITIONS,
                                          "tokenizer_class": "BertTokenizer"}),
        "vocab.txt": "".join(w + "\n" for w in vocab).encode()}


def embedder_files():
    return {
        "1_Pooling/config.json": as_json({"word_embedding_dimension": WIDTH,
                                          "pooling_mode_mean_tokens": True}),
        "LICENSE": b"Anyone may do anything with these random numbers.\n",
        "README.md": b"---\nlicense: cc0-1.0\n---\nRandom weights, for tests.\n",
        "modules.json": as_json([
            {"idx": i, "name": str(i), "path": path, "type": "sentence_transformers.models." + kind}
            for i, (path, kind) in enumerate([("", "Transformer"), ("1_Pooling", "Pooling"),
                                              ("2_Normalize", "Normalize")])]),
        "sentence_bert_config.json": as_json({"max_seq_length": 32, "do_lower_case": False})
    } | bert_files(1, "BF16")


def static_files():
    vocab = vocabulary()
    return {
        "config.json": as_json({"model_type": "model2vec", "normalize": True}),
        "model.safetensors": safetensors([("embeddings", [len(vocab), WIDTH])], random.Random(3),
                                         "F32"),
        "tokenizer.json": as_json({
            "version": "1.0", "truncation": None, "padding": None,
            "added_tokens": [{"id": i, "content": vocab[i], "single_word": False, "lstrip": False,
                              "rstrip": False, "normalized": False, "special": True}
                             for i in range(5)],
            "normalizer": {"type": "BertNormalizer", "clean_text": True,
                           "handle_chinese_chars": True, "strip_accents": None, "lowercase": True},
            "pre_tokenizer": {"type": "BertPreTokenizer"}, "post_processor": None,
            "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": True},
            "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
                      "max_input_chars_per_word": 100,
                      "vocab": {w: i for i, w in enumerate(vocab)}}})}


def write_tar(name, files):
    with tarfile.open(HERE / (name + ".tar"), "w", format=tarfile.USTAR_FORMAT) as tar:
        for path, content in sorted(files.items()):
            entry = tarfile.TarInfo(f"{name}/{path}")
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))


def main():
    write_tar("embedder", embedder_files())
    write_tar("classifier", bert_files(2, "F16", id2label={
        "0": "contradiction", "1": "neutral", "2": "entailment"}))
    write_tar("static", static_files())


main()
