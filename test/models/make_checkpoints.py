#!/usr/bin/env python3
"""Small checkpoints of every family and head with random weights.

usage: make_checkpoints.py MODELS     where unpack.py has put minilm and static

Makes MODELS/random/NAME, each a folder as transformers and sentence-transformers write it, with a
vocabulary as large as real ones.  Weights are bytes of Python's own generator, seeded by the
names of the model and the tensor, so they are the same everywhere; make_golden.py, which needs
PyTorch, says what the models answer.
"""

import json
import pathlib
import random
import shutil
import struct
import sys

WIDTH = 64
INNER = 128
N_LAYERS = 2
N_HEADS = 4


def write_json(path, value):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, ensure_ascii=False, indent=1), encoding="utf-8")


# Tokenizers

def bert_tokenizer(data):
    return json.loads((data / "minilm" / "tokenizer.json").read_text(encoding="utf-8"))


def byte_alphabet():
    """The characters that stand for bytes in GPT-2's vocabularies"""
    shown = [*range(33, 127), *range(161, 173), *range(174, 256)]
    hidden = [b for b in range(256) if b not in shown]
    return [chr(b) for b in shown] + [chr(256 + i) for i in range(len(hidden))]


def roberta_tokenizer(data, size):
    """Merges from left to right that make the words and pieces of BERT's vocabulary"""
    special = ["<s>", "<pad>", "</s>", "<unk>"]
    pieces = special + byte_alphabet()
    vocab = {piece: i for i, piece in enumerate(pieces)}
    merges = []
    for word in bert_tokenizer(data)["model"]["vocab"]:
        word = word[2:] if word.startswith("##") else "\u0120" + word
        for end in range(2, len(word) + 1 if word.isascii() or word[1:].isascii() else 0):
            if word[:end] not in vocab and len(vocab) < size - 1:
                merges.append([word[:end - 1], word[end - 1]])
                vocab[word[:end]] = len(vocab)
    vocab["<mask>"] = len(vocab)
    assert len(vocab) == size
    return {
        "version": "1.0", "truncation": None, "padding": None,
        "added_tokens": [
            {"id": vocab[name], "content": name, "single_word": False, "lstrip": name == "<mask>",
             "rstrip": False, "normalized": False, "special": True} for name in special + ["<mask>"]],
        "normalizer": None,
        "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True,
                          "use_regex": True},
        "post_processor": {"type": "RobertaProcessing", "sep": ["</s>", 2], "cls": ["<s>", 0],
                           "trim_offsets": True, "add_prefix_space": False},
        "decoder": {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True},
        "model": {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None,
                  "end_of_word_suffix": None, "fuse_unk": False, "byte_fallback": False,
                  "ignore_merges": False, "vocab": vocab, "merges": merges}}


def xlmr_tokenizer(data, size):
    """The pieces of static's vocabulary under XLM-R's first ids and template."""
    tokenizer = json.loads((data / "static" / "tokenizer.json").read_text(encoding="utf-8"))
    special = [["<s>", 0.0], ["<pad>", 0.0], ["</s>", 0.0], ["<unk>", 0.0]]
    names = {name for name, _ in special}
    pieces = [p for p in tokenizer["model"]["vocab"] if p[0] not in names and not p[0].startswith("<")]
    tokenizer["model"]["vocab"] = special + pieces[:size - 5] + [["<mask>", 0.0]]
    tokenizer["model"]["unk_id"] = 3
    ids = {"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3, "<mask>": size - 1}
    tokenizer["added_tokens"] = [
        {"id": i, "content": name, "single_word": False, "lstrip": name == "<mask>", "rstrip": False,
         "normalized": False, "special": True} for name, i in ids.items()]
    tokenizer["padding"] = None
    tokenizer["post_processor"] = {
        "type": "TemplateProcessing",
        "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}},
                   {"SpecialToken": {"id": "</s>", "type_id": 0}}],
        "pair": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}},
                 {"SpecialToken": {"id": "</s>", "type_id": 0}}, {"SpecialToken": {"id": "</s>", "type_id": 0}},
                 {"Sequence": {"id": "B", "type_id": 0}}, {"SpecialToken": {"id": "</s>", "type_id": 0}}],
        "special_tokens": {name: {"id": name, "ids": [ids[name]], "tokens": [name]}
                           for name in ("<s>", "</s>")}}
    return tokenizer


def mpnet_tokenizer(data):
    """BERT's vocabulary behind <s>, <pad>, </s>, <unk>, with <mask> as its last piece."""
    tokenizer = bert_tokenizer(data)
    old = sorted(tokenizer["model"]["vocab"], key=tokenizer["model"]["vocab"].get)
    names = ["<s>", "<pad>", "</s>", "[UNK]"] + [p for p in old if p != "[UNK]"] + ["<mask>"]
    tokenizer["model"]["vocab"] = {name: i for i, name in enumerate(names)}
    tokenizer["added_tokens"] = [
        {"id": names.index(name), "content": name, "single_word": False, "lstrip": name == "<mask>",
         "rstrip": False, "normalized": False, "special": True}
        for name in ("<s>", "<pad>", "</s>", "[UNK]", "<mask>")]
    tokenizer["padding"] = tokenizer["truncation"] = None
    tokenizer["post_processor"] = {"type": "RobertaProcessing", "sep": ["</s>", 2], "cls": ["<s>", 0],
                                   "trim_offsets": True, "add_prefix_space": False}
    return tokenizer, len(names)


def write_bert_vocab(folder, tokenizer):
    vocab = tokenizer["model"]["vocab"]
    (folder / "vocab.txt").write_text(
        "".join(p + "\n" for p in sorted(vocab, key=vocab.get)), encoding="utf-8")
    write_json(folder / "tokenizer_config.json", {"do_lower_case": True, "tokenizer_class": "BertTokenizer",
                                                 "model_max_length": 512})


def write_tokenizer(folder, tokenizer, kind):
    if kind == "vocab":
        write_bert_vocab(folder, tokenizer)
        return
    write_json(folder / "tokenizer.json", tokenizer)
    write_json(folder / "tokenizer_config.json", {"tokenizer_class": kind, "model_max_length": 512})

# Weights

def encode_number(value, dtype):
    if dtype == "BF16":
        (bits,) = struct.unpack("<I", struct.pack("<f", value))
        return struct.pack("<H", (bits + 0x7FFF + (bits >> 16 & 1)) >> 16)
    return struct.pack({"F64": "<d", "F32": "<f", "F16": "<e"}[dtype], value)


def random_tensor(seed, shape, middle, reach, dtype):
    """Numbers from middle - reach to middle + reach, of which there are 256"""
    n = 1
    for size in shape:
        n *= size
    table = [encode_number(middle + reach * (2 * b - 255) / 256, dtype) for b in range(256)]
    return b"".join(map(table.__getitem__, random.Random(seed).randbytes(n)))


def random_weights(model, shapes, dtype):
    """Large enough that attention and activations do something"""
    tensors = {}
    for name, shape in shapes.items():
        is_norm = len(shape) == 1 and name.endswith(("weight", "gamma"))
        reach = 0.375 if len(shape) == 1 else 1.25 if "embedding" in name else 2.5 / shape[1] ** 0.5
        data = random_tensor(model + " " + name, shape, 1.0 if is_norm else 0.0, reach, dtype)
        tensors[name] = (dtype, shape, data)
    return tensors


def write_safetensors(path, tensors):
    header = {"__metadata__": {"format": "pt"}}
    at = 0
    for name, (dtype, shape, data) in tensors.items():
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [at, at + len(data)]}
        at += len(data)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "wb") as out:
        out.write(struct.pack("<Q", len(text)) + text)
        for _, _, data in tensors.values():
            out.write(data)


def write_weights(folder, tensors, n_shards):
    if n_shards == 1:
        write_safetensors(folder / "model.safetensors", tensors)
        return
    names = sorted(tensors)
    files = [f"model-{i + 1:05}-of-{n_shards:05}.safetensors" for i in range(n_shards)]
    where = {name: files[i * n_shards // len(names)] for i, name in enumerate(names)}
    for file in files:
        write_safetensors(folder / file, {n: tensors[n] for n in names if where[n] == file})
    size = sum(len(data) for _, _, data in tensors.values())
    write_json(folder / "model.safetensors.index.json",
               {"metadata": {"total_size": size}, "weight_map": where})


# Families: what config.json says, and names and shapes of tensors

def linear(shapes, name, n_out, n_in):
    shapes[name + ".weight"] = [n_out, n_in]
    shapes[name + ".bias"] = [n_out]


def norm(shapes, name, width):
    shapes[name + ".weight"] = [width]
    shapes[name + ".bias"] = [width]


def body_shapes(config, layer_names):
    width = config.get("hidden_size", WIDTH)
    shapes = {"embeddings.word_embeddings.weight": [config["vocab_size"], width],
              "embeddings.position_embeddings.weight": [config["max_position_embeddings"], width]}
    if "type_vocab_size" in config:
        shapes["embeddings.token_type_embeddings.weight"] = [config["type_vocab_size"], width]
    norm(shapes, "embeddings.LayerNorm", width)
    if "relative_attention_num_buckets" in config:
        shapes["encoder.relative_attention_bias.weight"] = [config["relative_attention_num_buckets"],
                                                           N_HEADS]
    for layer in range(N_LAYERS):
        prefix, square, inner, outer, norms = layer_names
        for name in square:
            linear(shapes, f"{prefix}.{layer}.{name}", width, width)
        linear(shapes, f"{prefix}.{layer}.{inner}", INNER, width)
        linear(shapes, f"{prefix}.{layer}.{outer}", width, INNER)
        for name in norms:
            norm(shapes, f"{prefix}.{layer}.{name}", width)
    return shapes


BERT_LAYER = ("encoder.layer", ("attention.self.query", "attention.self.key", "attention.self.value",
                                "attention.output.dense"), "intermediate.dense", "output.dense",
              ("attention.output.LayerNorm", "output.LayerNorm"))
MPNET_LAYER = ("encoder.layer", ("attention.attn.q", "attention.attn.k", "attention.attn.v",
                                 "attention.attn.o"), "intermediate.dense", "output.dense",
               ("attention.LayerNorm", "output.LayerNorm"))
DISTILBERT_LAYER = ("transformer.layer", ("attention.q_lin", "attention.k_lin", "attention.v_lin",
                                          "attention.out_lin"), "ffn.lin1", "ffn.lin2",
                    ("sa_layer_norm", "output_layer_norm"))


def bert(**more):
    return dict(dict(model_type="bert", hidden_size=WIDTH, num_hidden_layers=N_LAYERS,
                     num_attention_heads=N_HEADS, intermediate_size=INNER, hidden_act="gelu",
                     layer_norm_eps=1e-12, max_position_embeddings=512, type_vocab_size=2, pad_token_id=0,
                     vocab_size=30522), **more)


def roberta(**more):
    return dict(bert(model_type="roberta", vocab_size=50265, max_position_embeddings=514, type_vocab_size=1,
                     layer_norm_eps=1e-5, pad_token_id=1, bos_token_id=0, eos_token_id=2), **more)


def mpnet(vocab_size):
    config = bert(model_type="mpnet", vocab_size=vocab_size, max_position_embeddings=514, pad_token_id=1,
                  bos_token_id=0, eos_token_id=2, relative_attention_num_buckets=32)
    del config["type_vocab_size"]
    return config


def distilbert(**more):
    return dict(dict(model_type="distilbert", dim=WIDTH, n_layers=N_LAYERS, n_heads=N_HEADS, hidden_dim=INNER,
                     activation="gelu", max_position_embeddings=512, pad_token_id=0, vocab_size=30522,
                     sinusoidal_pos_embds=False), **more)


def labels(*names):
    return dict(id2label={str(i): n for i, n in enumerate(names)},
                label2id={n: i for i, n in enumerate(names)})


def layer_names(config):
    return {"mpnet": MPNET_LAYER, "distilbert": DISTILBERT_LAYER}.get(config["model_type"], BERT_LAYER)


def head_shapes(config, n):
    """Those beside the body, and those in it"""
    shapes = {}
    inside = {}
    if config["model_type"] == "bert":
        linear(inside, "pooler.dense", WIDTH, WIDTH)
        linear(shapes, "classifier", n, WIDTH)
    elif config["model_type"] == "distilbert":
        linear(shapes, "pre_classifier", WIDTH, WIDTH)
        linear(shapes, "classifier", n, WIDTH)
    else:
        linear(shapes, "classifier.dense", WIDTH, WIDTH)
        linear(shapes, "classifier.out_proj", n, WIDTH)
    return shapes, inside


CLASSES = {"bert": "Bert", "distilbert": "DistilBert", "roberta": "Roberta", "xlm-roberta": "XLMRoberta",
           "mpnet": "MPNet"}


# What sentence-transformers puts beside the transformer

POOL_KEYS = {"cls": "cls_token", "mean": "mean_tokens", "max": "max_tokens",
             "mean_sqrt_len": "mean_sqrt_len_tokens", "weightedmean": "weightedmean_tokens",
             "lasttoken": "lasttoken"}


def write_modules(folder, config, how, normalises, dense_out, max_length, lowers, prompts, default_prompt):
    width = config.get("hidden_size", WIDTH)
    modules = [("Transformer", ""), ("Pooling", "1_Pooling")]
    if dense_out:
        modules.append(("Dense", "2_Dense"))
        write_json(folder / "2_Dense" / "config.json",
                   {"in_features": width, "out_features": dense_out, "bias": True,
                    "activation_function": "torch.nn.modules.activation.Tanh"})
        shapes = {}
        linear(shapes, "linear", dense_out, width)
        write_safetensors(folder / "2_Dense" / "model.safetensors",
                          random_weights(folder.name + " dense", shapes, "F32"))
    if normalises:
        modules.append(("Normalize", f"{len(modules)}_Normalize"))
    write_json(folder / "modules.json",
               [{"idx": i, "name": str(i), "path": path, "type": "sentence_transformers.models." + kind}
                for i, (kind, path) in enumerate(modules)])
    pooling = {"word_embedding_dimension": width}
    for key, name in POOL_KEYS.items():
        pooling["pooling_mode_" + name] = key == how
    write_json(folder / "1_Pooling" / "config.json", pooling)
    write_json(folder / "sentence_bert_config.json", {"max_seq_length": max_length, "do_lower_case": lowers})
    write_json(folder / "config_sentence_transformers.json",
               {"__version__": {"sentence_transformers": "5.0.0"}, "prompts": prompts,
                "default_prompt_name": default_prompt, "similarity_fn_name": "cosine"})


# The checkpoints

class Maker:
    def __init__(self, data):
        self.data = data
        self.out = data / "random"
        self.bert = bert_tokenizer(data)
        self.roberta = roberta_tokenizer(data, 50265)
        self.xlmr = xlmr_tokenizer(data, 250002)
        self.mpnet, self.mpnet_size = mpnet_tokenizer(data)

    def folder(self, name):
        path = self.out / name
        path.mkdir(parents=True)
        return path

    def finish(self, folder, config, shapes, tokenizer, kind, dtype, n_shards, old_names):
        write_json(folder / "config.json", config)
        if old_names:
            shapes = {name.replace("LayerNorm.weight", "LayerNorm.gamma").replace(
                "LayerNorm.bias", "LayerNorm.beta"): shape for name, shape in shapes.items()}
        write_weights(folder, random_weights(folder.name, shapes, dtype), n_shards)
        write_tokenizer(folder, tokenizer, kind)

    def embedder(self, name, config, tokenizer, kind, how="mean", normalises=True, dense_out=0,
                 dtype="F32", prefix="", n_shards=1, old_names=False, has_pooler=True, lowers=False,
                 prompts=None, default_prompt=None):
        folder = self.folder(name)
        config = dict(config, architectures=[CLASSES[config["model_type"]] + "Model"])
        shapes = body_shapes(config, layer_names(config))
        width = config.get("hidden_size", WIDTH)
        if has_pooler and config["model_type"] != "distilbert":
            linear(shapes, "pooler.dense", width, width)
        self.finish(folder, config, {prefix + n: s for n, s in shapes.items()}, tokenizer, kind, dtype,
                    n_shards, old_names)
        write_modules(folder, config, how, normalises, dense_out, 128, lowers, prompts or {}, default_prompt)

    def classifier(self, name, config, tokenizer, kind, dtype="F32"):
        folder = self.folder(name)
        prefix = config["model_type"] + "."
        # most files name the class; those of a regression here do not
        if config.get("problem_type") != "regression":
            config["architectures"] = [CLASSES[config["model_type"]] + "ForSequenceClassification"]
        beside, inside = head_shapes(config, len(config["id2label"]))
        shapes = dict(body_shapes(config, layer_names(config)), **inside)
        self.finish(folder, config, dict({prefix + n: s for n, s in shapes.items()}, **beside), tokenizer,
                    kind, dtype, 1, False)
        tokenizer_config = json.loads((folder / "tokenizer_config.json").read_text())
        write_json(folder / "tokenizer_config.json", dict(tokenizer_config, model_max_length=128))

    def static(self, name, key, config, modules):
        """model2vec's layout, and sentence-transformers'"""
        folder = self.folder(name)
        write_safetensors(folder / "model.safetensors", random_weights(name, {key: [30522, WIDTH]}, "F16"))
        write_json(folder / "tokenizer.json",
                   dict(self.bert, post_processor=None, padding=None, truncation=None))
        write_json(folder / "config.json", config)
        if modules:
            write_json(folder / "modules.json", [
                {"idx": 0, "name": "0", "path": ".", "type": "sentence_transformers.models.StaticEmbedding"},
                {"idx": 1, "name": "1", "path": "1_Normalize", "type": "sentence_transformers.models.Normalize"}])


def make_embedders(make):
    make.embedder("bert-mean", bert(), make.bert, "BertTokenizer", prefix="bert.")
    make.embedder("bert-cls", bert(hidden_act="gelu_new"), make.bert, "vocab", how="cls", normalises=False,
                  dtype="BF16", n_shards=3, prompts={"query": "Represent this sentence: "})
    make.embedder("bert-dense", bert(hidden_act="relu"), make.bert, "BertTokenizer", how="max", dense_out=24,
                  dtype="F64", old_names=True, has_pooler=False, prefix="0.auto_model.")
    make.embedder("bert-weighted", bert(), make.bert, "BertTokenizer", how="weightedmean", dtype="F16",
                  prefix="model.")
    make.embedder("bert-sqrt", bert(), make.bert, "BertTokenizer", how="mean_sqrt_len", normalises=False)
    make.embedder("bert-prompt", bert(), make.bert, "BertTokenizer", dtype="F16",
                  prompts={"query": "search query: ", "document": "search document: "},
                  default_prompt="document")
    cased = dict(make.bert, normalizer=dict(make.bert["normalizer"], lowercase=False))
    make.embedder("bert-lower", bert(), cased, "BertTokenizer", dtype="F16", lowers=True)
    make.embedder("distilbert", distilbert(), make.bert, "DistilBertTokenizer", prefix="distilbert.")
    make.embedder("distilbert-sin", distilbert(sinusoidal_pos_embds=True), make.bert, "DistilBertTokenizer",
                  how="lasttoken")
    make.embedder("roberta", roberta(), make.roberta, "RobertaTokenizer")
    make.embedder("xlm-roberta", roberta(model_type="xlm-roberta", vocab_size=250002, hidden_size=32), make.xlmr,
                  "XLMRobertaTokenizer", prefix="roberta.", dtype="BF16",
                  prompts={"query": "query: ", "passage": "passage: "})
    make.embedder("mpnet", mpnet(make.mpnet_size), make.mpnet, "MPNetTokenizer")


def make_classifiers(make):
    make.classifier("bert-classes", bert(
        problem_type="single_label_classification", **labels("anger", "joy", "love")),
        make.bert, "BertTokenizer")
    make.classifier("bert-multi", bert(
        problem_type="multi_label_classification", **labels("toxic", "threat", "insult", "obscene")),
        make.bert, "vocab", dtype="F16")
    make.classifier("bert-regression", bert(problem_type="regression", **labels("LABEL_0")), make.bert,
                    "BertTokenizer")
    make.classifier("bert-cross", bert(
        sentence_transformers={"activation_fn": "torch.nn.modules.linear.Identity", "version": "5.0.0"},
        **labels("LABEL_0")), make.bert, "BertTokenizer")
    make.classifier("distilbert-classes", distilbert(**labels("NEGATIVE", "POSITIVE")), make.bert,
                    "DistilBertTokenizer")
    make.classifier("roberta-nli", roberta(**labels("CONTRADICTION", "NEUTRAL", "ENTAILMENT")), make.roberta,
                    "RobertaTokenizer")


def main():
    data = pathlib.Path(sys.argv[1])
    shutil.rmtree(data / "random", ignore_errors=True)
    make = Maker(data)
    make_embedders(make)
    make_classifiers(make)
    make.static("model2vec", "embeddings", {
        "model_type": "model2vec", "architectures": ["StaticModel"], "tokenizer_name": "bert",
        "apply_pca": 64, "apply_zipf": True, "hidden_dim": 64, "seq_length": 1000000,
        "normalize": True}, False)
    make.static("static-modules", "embedding.weight", {}, True)


if __name__ == "__main__":
    main()
