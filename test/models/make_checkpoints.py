#!/usr/bin/env python3
"""Small checkpoints of every family and head with random weights, and what they answer.

usage: make_checkpoints.py MODELS     where unpack.py has put minilm and static

Makes MODELS/random/NAME, each a folder as transformers and sentence-transformers write it, with a
vocabulary as large as real ones, and in it golden.txt: what PyTorch makes of some texts in
double precision, one text at a time and so without padding.  golden_minilm.txt and
golden_static.txt are the same of the models that are fetched.  Lines of numbers:

    texts N                                 and for each text
    text BYTES, a new line, the text, a new line
    pair BYTES ...                          the same; "pair -1" when there is none
    ids N id ...
    types N type ...
    out N value ...                         the embedding, or the logits

Weights have the values that their file's type can hold, so the type makes no difference.
"""

import json
import pathlib
import shutil
import sys

import numpy
import torch
import transformers
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer, models, pre_tokenizers, processors, trainers
from tokenizers import decoders
from transformers import (
    BertConfig, BertForSequenceClassification, BertModel, DistilBertConfig,
    DistilBertForSequenceClassification, DistilBertModel, MPNetConfig, MPNetModel, RobertaConfig,
    RobertaForSequenceClassification, RobertaModel, XLMRobertaConfig, XLMRobertaModel)

SEED = 7
HERE = pathlib.Path(__file__).resolve().parent
TYPES = {"F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16, "F64": torch.float64}

TEXTS = [
    "", " ", "hello", "Hello, world!", "The quick brown fox jumps over the lazy dog.",
    "A man is playing a guitar.", "Ein Mann spielt Gitarre.", "\u8fd9\u662f\u4e00\u4e2a\u6d4b\u8bd5\u3002",
    "\u041f\u0440\u0438\u0432\u0435\u0442, \u043c\u0438\u0440", "caf\u00e9 na\u00efve \u00c5ngstr\u00f6m",
    "emoji \U0001f600\U0001f469\u200d\U0001f4bb", "1,234.56 $ 50% C++ & <b>x</b>", "tab\tnew\nline",
    "Supercalifragilisticexpialidocious " * 3, "word " * 400,
    "URGENT! You have won a 1 week FREE membership in our \u00a3100,000 Prize Jackpot!",
]
PAIRS = [
    ("A man is playing a guitar.", "Someone makes music."),
    ("How many people live in Berlin?", "Berlin has 3.7 million inhabitants."),
    ("x", ""), ("one " * 300, "two " * 300),
]


def write_json(path, value):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, ensure_ascii=False, indent=1), encoding="utf-8")


# Tokenizers

def bert_tokenizer(data):
    return json.loads((data / "minilm" / "tokenizer.json").read_text(encoding="utf-8"))


def corpus():
    """Texts that are at hand everywhere: messages, and Python's own sources."""
    yield from (HERE.parent / "data" / "sms.tsv").read_text(encoding="utf-8").splitlines()
    for path in sorted(pathlib.Path(json.__file__).parent.parent.rglob("*.py")):
        if "site-packages" not in path.parts:
            yield from path.read_text(encoding="utf-8", errors="replace").splitlines()


def roberta_tokenizer(size):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    special = ["<s>", "<pad>", "</s>", "<unk>"]
    trainer = trainers.BpeTrainer(
        vocab_size=size - 1, min_frequency=1, special_tokens=special, show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    tokenizer.train_from_iterator(corpus(), trainer)
    tokenizer.add_special_tokens(["<mask>"])
    tokenizer.post_processor = processors.RobertaProcessing(
        ("</s>", 2), ("<s>", 0), trim_offsets=True, add_prefix_space=False)
    return json.loads(tokenizer.to_str())


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


def encode(tokenizer, text, pair, max_length):
    fast = Tokenizer.from_str(json.dumps(tokenizer))
    fast.no_padding()
    fast.enable_truncation(max_length)
    encoding = fast.encode(text) if pair is None else fast.encode(text, pair)
    return encoding.ids, encoding.type_ids


# Weights

def randomise(model, dtype, generator):
    """Large enough that attention and activations do something."""
    with torch.no_grad():
        for name, weight in model.named_parameters():
            noise = torch.randn(weight.shape, generator=generator, dtype=torch.float64)
            if weight.dim() == 1 and name.endswith("weight"):
                value = 1 + 0.2 * noise
            elif weight.dim() == 1:
                value = 0.2 * noise
            else:
                value = noise * (0.7 if "embeddings" in name else 1.5 / weight.shape[1] ** 0.5)
            weight.copy_(value.to(TYPES[dtype]).to(weight.dtype))


def renamed(state, prefix, old_names):
    result = {}
    for name, value in state.items():
        if old_names:
            name = name.replace("LayerNorm.weight", "LayerNorm.gamma").replace(
                "LayerNorm.bias", "LayerNorm.beta")
        result[prefix + name] = value
    return result


def write_weights(folder, state, dtype, n_shards):
    state = {name: value.to(TYPES[dtype]).contiguous() if value.is_floating_point() else value
             for name, value in state.items()}
    if n_shards == 1:
        save_file(state, folder / "model.safetensors", metadata={"format": "pt"})
        return
    names = sorted(state)
    files = [f"model-{i + 1:05}-of-{n_shards:05}.safetensors" for i in range(n_shards)]
    where = {name: files[i * n_shards // len(names)] for i, name in enumerate(names)}
    for file in files:
        save_file({n: state[n] for n in names if where[n] == file}, folder / file,
                  metadata={"format": "pt"})
    size = sum(value.numel() * value.element_size() for value in state.values())
    write_json(folder / "model.safetensors.index.json",
               {"metadata": {"total_size": size}, "weight_map": where})


# What comes behind the transformer

def pool(hidden, how):
    """hidden: [tokens, width], without padding"""
    n = hidden.shape[0]
    if how == "cls":
        return hidden[0]
    if how == "lasttoken":
        return hidden[-1]
    if how == "max":
        return hidden.max(0).values
    if how == "mean":
        return hidden.mean(0)
    if how == "mean_sqrt_len":
        return hidden.sum(0) / n ** 0.5
    weights = torch.arange(1, n + 1, dtype=hidden.dtype)[:, None]
    return (weights * hidden).sum(0) / weights.sum()


POOL_KEYS = {"cls": "cls_token", "mean": "mean_tokens", "max": "max_tokens",
             "mean_sqrt_len": "mean_sqrt_len_tokens", "weightedmean": "weightedmean_tokens",
             "lasttoken": "lasttoken"}


def write_modules(folder, width, how, normalises, dense, max_length, prompts):
    modules = [("Transformer", ""), ("Pooling", "1_Pooling")]
    if dense is not None:
        modules.append(("Dense", "2_Dense"))
        out, inside = dense["weight"].shape
        write_json(folder / "2_Dense" / "config.json",
                   {"in_features": inside, "out_features": out, "bias": True,
                    "activation_function": "torch.nn.modules.activation.Tanh"})
        save_file({"linear.weight": dense["weight"].float(), "linear.bias": dense["bias"].float()},
                  folder / "2_Dense" / "model.safetensors")
    if normalises:
        modules.append(("Normalize", f"{len(modules)}_Normalize"))
    write_json(folder / "modules.json",
               [{"idx": i, "name": str(i), "path": path, "type": "sentence_transformers.models." + kind}
                for i, (kind, path) in enumerate(modules)])
    pooling = {"word_embedding_dimension": width}
    for key, name in POOL_KEYS.items():
        pooling["pooling_mode_" + name] = key == how
    write_json(folder / "1_Pooling" / "config.json", pooling)
    write_json(folder / "sentence_bert_config.json", {"max_seq_length": max_length, "do_lower_case": False})
    write_json(folder / "config_sentence_transformers.json",
               {"__version__": {"sentence_transformers": "5.0.0"}, "prompts": prompts,
                "default_prompt_name": None, "similarity_fn_name": "cosine"})


def embed(model, ids, types, has_types, how, dense, normalises):
    inputs = {"input_ids": torch.tensor([ids]), "attention_mask": torch.ones(1, len(ids), dtype=torch.long)}
    if has_types:
        inputs["token_type_ids"] = torch.tensor([types])
    vector = pool(model(**inputs).last_hidden_state[0], how)
    if dense is not None:
        vector = torch.tanh(dense["weight"] @ vector + dense["bias"])
    return vector / vector.norm().clamp(min=1e-12) if normalises else vector


def write_golden(path, cases):
    with open(path, "wb") as out:
        out.write(b"# made by test/models/make_checkpoints.py\n")
        out.write(b"texts %d\n" % len(cases))
        for text, pair, ids, types, values in cases:
            for name, string in (("text", text), ("pair", pair)):
                data = b"" if string is None else string.encode()
                size = -1 if string is None else len(data)
                out.write(b"%s %d\n%s\n" % (name.encode(), size, data))
            for name, numbers in (("ids", ids), ("types", types)):
                out.write(f"{name} {len(numbers)} {' '.join(map(str, numbers))}\n".encode())
            out.write(f"out {len(values)} {' '.join(repr(float(v)) for v in values)}\n".encode())


# The checkpoints

class Maker:
    def __init__(self, data):
        self.data = data
        self.out = data / "random"
        self.generator = torch.Generator().manual_seed(SEED)
        self.bert = bert_tokenizer(data)
        self.roberta = roberta_tokenizer(50265)
        self.xlmr = xlmr_tokenizer(data, 250002)
        self.mpnet, self.mpnet_size = mpnet_tokenizer(data)

    def folder(self, name):
        path = self.out / name
        path.mkdir(parents=True)
        return path

    def finish(self, folder, model, config, tokenizer, kind, dtype, prefix, n_shards, old_names, skip=()):
        randomise(model, dtype, self.generator)
        # most files name the class; those of a regression here do not
        if config.problem_type != "regression":
            config.architectures = [type(model).__name__]
        config.save_pretrained(folder)
        state = {n: v for n, v in model.state_dict().items() if not n.startswith(tuple(skip) or ("\0",))}
        write_weights(folder, renamed(state, prefix, old_names), dtype, n_shards)
        write_tokenizer(folder, tokenizer, kind)

    def embedder(self, name, model_class, config, tokenizer, kind, how="mean", normalises=True,
                 dense_out=0, dtype="F32", prefix="", n_shards=1, old_names=False, max_length=128,
                 has_types=False, prompts=None, skip=()):
        folder = self.folder(name)
        model = model_class(config).double().eval()
        self.finish(folder, model, config, tokenizer, kind, dtype, prefix, n_shards, old_names, skip)
        width = config.hidden_size
        dense = None
        if dense_out:
            dense = {k: torch.randn(*shape, generator=self.generator).double() / width ** 0.5
                     for k, shape in (("weight", (dense_out, width)), ("bias", (dense_out,)))}
        write_modules(folder, width, how, normalises, dense, max_length, prompts or {})
        cases = []
        for text in TEXTS:
            ids, types = encode(tokenizer, text, None, max_length)
            values = embed(model, ids, types, has_types, how, dense, normalises)
            cases.append((text, None, ids, types, values.tolist()))
        write_golden(folder / "golden.txt", cases)

    def classifier(self, name, model_class, config, tokenizer, kind, dtype="F32", prefix="", pairs=False,
                   has_types=False, max_length=128):
        folder = self.folder(name)
        model = model_class(config).double().eval()
        self.finish(folder, model, config, tokenizer, kind, dtype, prefix, 1, False)
        tokenizer_config = json.loads((folder / "tokenizer_config.json").read_text())
        tokenizer_config["model_max_length"] = max_length
        write_json(folder / "tokenizer_config.json", tokenizer_config)
        cases = []
        for text, pair in [(t, None) for t in TEXTS] + (PAIRS if pairs else []):
            ids, types = encode(tokenizer, text, pair, max_length)
            inputs = {"input_ids": torch.tensor([ids])}
            if has_types:
                inputs["token_type_ids"] = torch.tensor([types])
            cases.append((text, pair, ids, types, model(**inputs).logits[0].tolist()))
        write_golden(folder / "golden.txt", cases)

    def static(self, name, key, config, modules):
        """model2vec's layout, and sentence-transformers'"""
        folder = self.folder(name)
        tokenizer = dict(self.bert, post_processor=None, padding=None, truncation=None)
        table = torch.randn(30522, 64, generator=self.generator).half()
        save_file({key: table}, folder / "model.safetensors")
        write_json(folder / "tokenizer.json", tokenizer)
        write_json(folder / "config.json", config)
        if modules:
            write_json(folder / "modules.json", [
                {"idx": 0, "name": "0", "path": ".", "type": "sentence_transformers.models.StaticEmbedding"},
                {"idx": 1, "name": "1", "path": "1_Normalize", "type": "sentence_transformers.models.Normalize"}])
        cases = []
        for text in TEXTS:
            ids, _ = encode(tokenizer, text, None, 100000)
            used = ids if modules else [i for i in ids if i != 100]  # model2vec leaves [UNK] out
            rows = table.double().numpy()[used]
            mean = rows.mean(0) if len(used) else numpy.zeros(64)
            cases.append((text, None, ids, [0] * len(ids), mean / max(numpy.linalg.norm(mean), 1e-12)))
        write_golden(folder / "golden.txt", cases)


def golden_minilm(data):
    folder = data / "minilm"
    tokenizer = bert_tokenizer(data)
    model = BertModel.from_pretrained(folder, dtype=torch.float64, attn_implementation="eager").eval()
    cases = []
    for text in TEXTS:
        ids, types = encode(tokenizer, text, None, 256)
        cases.append((text, None, ids, types, embed(model, ids, types, True, "mean", None, True).tolist()))
    write_golden(data / "random" / "golden_minilm.txt", cases)


def golden_static(data):
    tokenizer = Tokenizer.from_file(str(data / "static" / "tokenizer.json"))
    tensors = load_file(data / "static" / "model.safetensors")
    table = tensors["embeddings"].double().numpy()[tensors["mapping"].numpy()]
    table *= tensors["weights"].double().numpy()[:, None]
    cases = []
    for text in TEXTS:
        ids = tokenizer.encode(text).ids[:512]
        mean = table[ids].mean(0) if ids else numpy.zeros(64)
        cases.append((text, None, ids, [0] * len(ids), mean / max(numpy.linalg.norm(mean), 1e-12)))
    write_golden(data / "random" / "golden_static.txt", cases)


def sizes(**more):
    return dict(hidden_size=64, num_hidden_layers=2, num_attention_heads=4, intermediate_size=128,
                attn_implementation="eager", **more)


def labels(*names):
    return dict(id2label=dict(enumerate(names)), label2id={n: i for i, n in enumerate(names)})


def make_embedders(make):
    bert = sizes(vocab_size=30522)
    make.embedder("bert-mean", BertModel, BertConfig(**bert), make.bert, "BertTokenizer", prefix="bert.",
                  has_types=True)
    make.embedder("bert-cls", BertModel, BertConfig(hidden_act="gelu_new", **bert), make.bert, "vocab",
                  how="cls", normalises=False, dtype="BF16", n_shards=3, has_types=True,
                  prompts={"query": "Represent this sentence: "})
    make.embedder("bert-dense", BertModel, BertConfig(hidden_act="relu", **bert), make.bert, "BertTokenizer",
                  how="max", dense_out=24, dtype="F64", old_names=True, has_types=True, skip=("pooler.",),
                  prefix="0.auto_model.")
    make.embedder("bert-weighted", BertModel, BertConfig(**bert), make.bert, "BertTokenizer",
                  how="weightedmean", dtype="F16", has_types=True, prefix="model.")
    make.embedder("bert-sqrt", BertModel, BertConfig(**bert), make.bert, "BertTokenizer",
                  how="mean_sqrt_len", normalises=False, has_types=True)
    distil = dict(vocab_size=30522, dim=64, n_layers=2, n_heads=4, hidden_dim=128, attn_implementation="eager")
    make.embedder("distilbert", DistilBertModel, DistilBertConfig(**distil), make.bert,
                  "DistilBertTokenizer", prefix="distilbert.")
    make.embedder("distilbert-sin", DistilBertModel, DistilBertConfig(sinusoidal_pos_embds=True, **distil),
                  make.bert, "DistilBertTokenizer", how="lasttoken")
    roberta = sizes(vocab_size=50265, max_position_embeddings=514, type_vocab_size=1, pad_token_id=1,
                    bos_token_id=0, eos_token_id=2, layer_norm_eps=1e-5)
    make.embedder("roberta", RobertaModel, RobertaConfig(**roberta), make.roberta, "RobertaTokenizer")
    xlmr = dict(roberta, vocab_size=250002, hidden_size=32)
    make.embedder("xlm-roberta", XLMRobertaModel, XLMRobertaConfig(**xlmr), make.xlmr,
                  "XLMRobertaTokenizer", prefix="roberta.", dtype="BF16", prompts={
                      "query": "query: ", "passage": "passage: "})
    make.embedder("mpnet", MPNetModel, MPNetConfig(**sizes(vocab_size=make.mpnet_size,
                                                          max_position_embeddings=514)),
                  make.mpnet, "MPNetTokenizer")


def make_classifiers(make):
    bert = sizes(vocab_size=30522)
    kinds = BertForSequenceClassification, BertConfig
    make.classifier("bert-classes", kinds[0], kinds[1](
        problem_type="single_label_classification", **labels("anger", "joy", "love"), **bert),
        make.bert, "BertTokenizer", has_types=True)
    make.classifier("bert-multi", kinds[0], kinds[1](
        problem_type="multi_label_classification", **labels("toxic", "threat", "insult", "obscene"), **bert),
        make.bert, "vocab", dtype="F16", has_types=True)
    make.classifier("bert-regression", kinds[0], kinds[1](
        problem_type="regression", num_labels=1, **bert), make.bert, "BertTokenizer", has_types=True)
    cross = kinds[1](num_labels=1, **bert)
    cross.sentence_transformers = {"activation_fn": "torch.nn.modules.linear.Identity", "version": "5.0.0"}
    make.classifier("bert-cross", kinds[0], cross, make.bert, "BertTokenizer", pairs=True, has_types=True)
    distil = dict(vocab_size=30522, dim=64, n_layers=2, n_heads=4, hidden_dim=128, attn_implementation="eager")
    make.classifier("distilbert-classes", DistilBertForSequenceClassification, DistilBertConfig(
        **labels("NEGATIVE", "POSITIVE"), **distil), make.bert, "DistilBertTokenizer")
    roberta = sizes(vocab_size=50265, max_position_embeddings=514, type_vocab_size=1, pad_token_id=1,
                    bos_token_id=0, eos_token_id=2, layer_norm_eps=1e-5)
    make.classifier("roberta-nli", RobertaForSequenceClassification, RobertaConfig(
        **labels("CONTRADICTION", "NEUTRAL", "ENTAILMENT"), **roberta), make.roberta, "RobertaTokenizer",
        pairs=True)


def main():
    data = pathlib.Path(sys.argv[1])
    torch.set_num_threads(1)
    transformers.logging.disable_progress_bar()
    shutil.rmtree(data / "random", ignore_errors=True)
    make = Maker(data)
    with torch.no_grad():
        make_embedders(make)
        make_classifiers(make)
        make.static("model2vec", "embeddings", {
            "model_type": "model2vec", "architectures": ["StaticModel"], "tokenizer_name": "bert",
            "apply_pca": 64, "apply_zipf": True, "hidden_dim": 64, "seq_length": 1000000,
            "normalize": True}, False)
        make.static("static-modules", "embedding.weight", {}, True)
        golden_minilm(data)
        golden_static(data)


if __name__ == "__main__":
    main()
