#!/usr/bin/env python3
"""What PyTorch makes of some texts with the models that tests read.

usage: make_golden.py MODELS GOLDEN   where make_models.sh has put the models; the folder of answers

Needs what requirements.txt lists.  GOLDEN/NAME.txt is made for minilm, static and each random
checkpoint: answers in double precision, one text at a time and so without padding, by the rules
of transformers, sentence-transformers and model2vec.  Lines of numbers:

    texts N                                 and for each text
    text BYTES, a new line, the text, a new line
    pair BYTES ...                          the same; "pair -1" when there is none
    ids N id ...
    types N type ...
    out N value ...                         the embedding, or the logits
"""

import json
import pathlib
import sys

import numpy
import torch
import transformers
from safetensors.torch import load_file
from tokenizers import Tokenizer

PREFIXES = ("0.auto_model.", "model.", "bert.", "distilbert.", "roberta.")
POOLINGS = ("mean_tokens", "cls_token", "max_tokens", "lasttoken", "mean_sqrt_len_tokens",
            "weightedmean_tokens")

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
    ("x", ""), ("one " * 300, "two " * 300), ("three " * 300, "What is counted?"),
]
NUMBERS_OF_INFERENCE = {"contradiction", "neutral", "entailment"}


def read_json(path, otherwise=None):
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else otherwise


# Tokens

def read_tokenizer(folder, lowers):
    """Where there is only vocab.txt, it is of BERT's tokenizer."""
    path = folder / "tokenizer.json"
    tokenizer = read_json(path if path.exists() else folder.parent.parent / "minilm" / "tokenizer.json")
    if lowers:
        tokenizer["normalizer"] = {"type": "Sequence",
                                   "normalizers": [{"type": "Lowercase"}, tokenizer["normalizer"]]}
    return Tokenizer.from_str(json.dumps(tokenizer))


def encode(tokenizer, text, pair, max_length, only_first=False):
    tokenizer.no_padding()
    tokenizer.enable_truncation(max_length, strategy="only_first" if only_first else "longest_first")
    encoding = tokenizer.encode(text) if pair is None else tokenizer.encode(text, pair)
    return encoding.ids, encoding.type_ids


# Models

def load(folder, model_class, config):
    """The state of all shards under the names that transformers gives"""
    state = {}
    for path in sorted(folder.glob("*.safetensors")):
        state.update(load_file(path))
    if model_class is transformers.AutoModel:
        for prefix in PREFIXES:
            state = {name.removeprefix(prefix): value for name, value in state.items()}
    state = {name.replace("LayerNorm.gamma", "LayerNorm.weight").replace("LayerNorm.beta", "LayerNorm.bias"): value
             for name, value in state.items()}
    model = model_class.from_config(config, attn_implementation="eager").double().eval()
    missing, unexpected = model.load_state_dict(
        {name: value.double() if value.is_floating_point() else value for name, value in state.items()},
        strict=False)
    left = [name for name in missing if "pooler." not in name and not name.endswith("_ids")]
    assert not left and not [name for name in unexpected if not name.endswith("_ids")], (left, unexpected)
    return model


def run(model, ids, types):
    inputs = {"input_ids": torch.tensor([ids]), "attention_mask": torch.ones(1, len(ids), dtype=torch.long)}
    if model.config.model_type == "bert":
        inputs["token_type_ids"] = torch.tensor([types])
    return model(**inputs)


def pool(hidden, how):
    """hidden: [tokens, width], without padding"""
    n = hidden.shape[0]
    if how == "cls_token":
        return hidden[0]
    if how == "lasttoken":
        return hidden[-1]
    if how == "max_tokens":
        return hidden.max(0).values
    if how == "mean_tokens":
        return hidden.mean(0)
    if how == "mean_sqrt_len_tokens":
        return hidden.sum(0) / n ** 0.5
    weights = torch.arange(1, n + 1, dtype=hidden.dtype)[:, None]
    return (weights * hidden).sum(0) / weights.sum()


def embedder_cases(folder):
    config = transformers.AutoConfig.from_pretrained(folder)
    model = load(folder, transformers.AutoModel, config)
    sentence = read_json(folder / "sentence_bert_config.json")
    settings = read_json(folder / "config_sentence_transformers.json", {})
    modules = [module["type"].rsplit(".", 1)[1] for module in read_json(folder / "modules.json")]
    pooling = read_json(folder / "1_Pooling" / "config.json")
    (how,) = (name for name in POOLINGS if pooling.get("pooling_mode_" + name))
    dense = load_file(folder / "2_Dense" / "model.safetensors") if "Dense" in modules else None
    default = settings.get("default_prompt_name")
    prompt = settings["prompts"][default] if default else ""
    tokenizer = read_tokenizer(folder, sentence["do_lower_case"])
    for text in TEXTS:
        ids, types = encode(tokenizer, prompt + text, None, sentence["max_seq_length"])
        vector = pool(run(model, ids, types).last_hidden_state[0], how)
        if dense is not None:
            vector = torch.tanh(dense["linear.weight"].double() @ vector + dense["linear.bias"].double())
        if "Normalize" in modules:
            vector = vector / vector.norm().clamp(min=1e-12)
        yield text, None, ids, types, vector.tolist()


def classifier_cases(folder):
    config = transformers.AutoConfig.from_pretrained(folder)
    model = load(folder, transformers.AutoModelForSequenceClassification, config)
    tokenizer = read_tokenizer(folder, False)
    max_length = read_json(folder / "tokenizer_config.json")["model_max_length"]
    is_inference = {name.lower() for name in config.id2label.values()} == NUMBERS_OF_INFERENCE
    has_pairs = is_inference or config.num_labels == 1 and config.problem_type is None
    for text, pair in [(text, None) for text in TEXTS] + (PAIRS if has_pairs else []):
        # as transformers' pipeline of zero-shot classification, where the second text leaves room
        only_first = is_inference and pair is not None and len(pair) < 300
        ids, types = encode(tokenizer, text, pair, max_length, only_first)
        yield text, pair, ids, types, run(model, ids, types).logits[0].tolist()


def static_cases(folder):
    is_module = (folder / "modules.json").exists()
    tokenizer = read_tokenizer(folder, False)
    tensors = load_file(folder / "model.safetensors")
    table = tensors["embedding.weight" if is_module else "embeddings"].double().numpy()
    if "mapping" in tensors:
        table = table[tensors["mapping"].numpy()] * tensors["weights"].double().numpy()[:, None]
    # model2vec reads 512 tokens and leaves those out that its tokenizer does not know
    unknown = read_json(folder / "tokenizer.json")["model"].get("unk_token")
    skipped = None if is_module or unknown is None else tokenizer.token_to_id(unknown)
    for text in TEXTS:
        ids, _ = encode(tokenizer, text, None, 100000 if is_module else 512)
        used = [i for i in ids if i != skipped]
        mean = table[used].mean(0) if used else numpy.zeros(table.shape[1])
        yield text, None, ids, [0] * len(ids), mean / max(numpy.linalg.norm(mean), 1e-12)


def cases_of(folder):
    config = read_json(folder / "config.json", {})
    if "id2label" in config:
        return classifier_cases(folder)
    return embedder_cases(folder) if (folder / "1_Pooling").exists() else static_cases(folder)


def write_golden(path, cases):
    cases = list(cases)
    with open(path, "wb") as out:
        out.write(b"# made by test/models/make_golden.py\n")
        out.write(b"texts %d\n" % len(cases))
        for text, pair, ids, types, values in cases:
            for name, string in (("text", text), ("pair", pair)):
                data = b"" if string is None else string.encode()
                size = -1 if string is None else len(data)
                out.write(b"%s %d\n%s\n" % (name.encode(), size, data))
            for name, numbers in (("ids", ids), ("types", types)):
                out.write(f"{name} {len(numbers)} {' '.join(map(str, numbers))}\n".encode())
            out.write(f"out {len(values)} {' '.join(format(float(v), '.9g') for v in values)}\n".encode())


def main():
    models, golden = map(pathlib.Path, sys.argv[1:])
    torch.set_num_threads(1)
    golden.mkdir(exist_ok=True)
    with torch.no_grad():
        for folder in [models / "minilm", models / "static", *sorted((models / "random").iterdir())]:
            if folder.is_dir():
                write_golden(golden / (folder.name + ".txt"), cases_of(folder))


if __name__ == "__main__":
    main()
