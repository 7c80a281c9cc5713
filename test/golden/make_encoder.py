"""Write encoder.txt: answers of small encoders, as transformers and PyTorch make them in float64.

    python3 test/golden/make_encoder.py

Weights come from SplitMix64, whose numbers u are cut to 24 bits in [0, 1): array by array as
encoder_store.h numbers its parts, seed 4096 * part + 2 * layer + is_bias + 1, and offset +
scale * (2 u - 1).  Ids are 1 + floor(u * (words - 1)) with seed 1000000 + number of the case, those
of all inputs one after the other.  A case is

    case NAME WORDS WIDTH LAYERS HEADS INNER ACTIVATION POSITIONS FIRST TYPES POOLING NORMALIZES
         EPSILON TASK BUCKETS
    N_AFTER, and of each layer after pooling its outputs and its activation
    N_INPUTS, and of each its tokens and how many of them are of the first text
    answers in float64, input by input
"""

import os

import numpy as np
import torch
import torch.nn.functional as F
from transformers import (BertConfig, BertModel, DistilBertConfig, DistilBertModel, MPNetConfig,
                          MPNetModel, RobertaConfig, RobertaModel)

(WORDS, POSITIONS, TYPES, BIAS, NORM, QUERY, KEY, VALUE, OUTPUT, ATTENTION_NORM, INNER, OUTER,
 LAYER_NORM, AFTER) = range(14)
MEAN, FIRST, LAST, MAX, MEAN_SQRT, WEIGHTED = range(6)
EMBEDDING, CLASSES, LABELS, VALUES = range(4)
LINEAR, RELU, GELU, TANH = 0, 1, 5, 9
ACTIVATIONS = {LINEAR: lambda x: x, RELU: torch.relu, TANH: torch.tanh}
TASKS = {EMBEDDING: lambda x: x, CLASSES: lambda x: torch.softmax(x, -1), LABELS: torch.sigmoid,
         VALUES: lambda x: x}
LENGTHS = ((1, 1), (7, 4), (2, 2), (30, 30), (16, 5))
LONG = ((1, 1), (300, 300), (40, 40))
NORMS = (NORM, ATTENTION_NORM, LAYER_NORM)


def uniforms(seed, n):
    with np.errstate(over="ignore"):
        z = np.uint64(seed) + np.arange(1, n + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return ((z ^ (z >> np.uint64(31))) >> np.uint64(40)) / 2.0**24


def array(part, layer, is_bias, *shape):
    offset = 1 if part in NORMS and not is_bias else 0
    scale = 0.1 if is_bias or part in NORMS else 1 if part in (WORDS, POSITIONS, TYPES) else 0.25
    u = uniforms(4096 * part + 2 * layer + is_bias + 1, int(np.prod(shape)))
    return torch.tensor((np.float32(offset) + np.float32(scale) * np.float32(2 * u - 1))
                        .reshape(shape).astype(np.float64))


def fill(linear, part, layer):
    n = linear.weight.shape
    linear.weight.data = array(part, layer, False, *n)
    linear.bias.data = array(part, layer, True, n[0])


def fill_layers(layers, names):
    for i, layer in enumerate(layers):
        for part, name in names.items():
            fill(layer.get_submodule(name), part, i)


BERT_NAMES = {QUERY: "attention.self.query", KEY: "attention.self.key",
              VALUE: "attention.self.value", OUTPUT: "attention.output.dense",
              ATTENTION_NORM: "attention.output.LayerNorm", INNER: "intermediate.dense",
              OUTER: "output.dense", LAYER_NORM: "output.LayerNorm"}
MPNET_NAMES = {QUERY: "attention.attn.q", KEY: "attention.attn.k", VALUE: "attention.attn.v",
               OUTPUT: "attention.attn.o", ATTENTION_NORM: "attention.LayerNorm",
               INNER: "intermediate.dense", OUTER: "output.dense", LAYER_NORM: "output.LayerNorm"}
DISTIL_NAMES = {QUERY: "attention.q_lin", KEY: "attention.k_lin", VALUE: "attention.v_lin",
                OUTPUT: "attention.out_lin", ATTENTION_NORM: "sa_layer_norm", INNER: "ffn.lin1",
                OUTER: "ffn.lin2", LAYER_NORM: "output_layer_norm"}


def fill_embeddings(embeddings):
    for part, name in ((WORDS, "word_embeddings"), (POSITIONS, "position_embeddings"),
                       (TYPES, "token_type_embeddings")):
        if hasattr(embeddings, name):
            table = getattr(embeddings, name)
            table.weight.data = array(part, 0, False, *table.weight.shape)
    fill(embeddings.LayerNorm, NORM, 0)


def bert(c, kind=BertModel, config=BertConfig):
    model = kind(config(vocab_size=c.words, hidden_size=c.width, num_hidden_layers=c.layers,
                        num_attention_heads=c.heads, intermediate_size=c.inner,
                        max_position_embeddings=c.positions, type_vocab_size=c.types,
                        hidden_act={GELU: "gelu", RELU: "relu"}[c.activation],
                        layer_norm_eps=c.epsilon, pad_token_id=c.first - 1 if c.first > 0 else 0),
                 add_pooling_layer=False).double().eval()
    fill_embeddings(model.embeddings)
    fill_layers(model.encoder.layer, BERT_NAMES)
    return lambda ids, types: model(ids, token_type_ids=types).last_hidden_state[0]


def roberta(c):
    return bert(c, RobertaModel, RobertaConfig)


def distilbert(c):
    model = DistilBertModel(DistilBertConfig(
        vocab_size=c.words, dim=c.width, n_layers=c.layers, n_heads=c.heads, hidden_dim=c.inner,
        max_position_embeddings=c.positions, activation="gelu")).double().eval()
    fill_embeddings(model.embeddings)
    fill_layers(model.transformer.layer, DISTIL_NAMES)
    return lambda ids, types: model(ids).last_hidden_state[0]


def mpnet(c):
    model = MPNetModel(MPNetConfig(
        vocab_size=c.words, hidden_size=c.width, num_hidden_layers=c.layers,
        num_attention_heads=c.heads, intermediate_size=c.inner, hidden_act="gelu",
        max_position_embeddings=c.positions, layer_norm_eps=c.epsilon,
        relative_attention_num_buckets=c.buckets), add_pooling_layer=False).double().eval()
    fill_embeddings(model.embeddings)
    model.encoder.relative_attention_bias.weight.data = array(BIAS, 0, False, c.buckets, c.heads)
    fill_layers(model.encoder.layer, MPNET_NAMES)
    return lambda ids, types: model(ids).last_hidden_state[0]


def table(c):
    words = array(WORDS, 0, False, c.words, c.width)
    return lambda ids, types: words[ids[0]]


class Case:
    def __init__(self, name, make, words=90, width=48, layers=2, heads=4, inner=112,
                 activation=GELU, positions=40, first=0, types=2, pooling=MEAN, normalizes=1,
                 epsilon=1e-12, task=EMBEDDING, after=(), buckets=0):
        self.name, self.make = name, make
        self.numbers = (words, width, layers, heads, inner, activation, positions, first, types,
                        pooling, normalizes, epsilon, task, buckets)
        self.words, self.width, self.layers, self.heads, self.inner = words, width, layers, heads, inner
        self.activation, self.positions, self.first, self.types = activation, positions, first, types
        self.pooling, self.normalizes, self.epsilon = pooling, normalizes, epsilon
        self.task, self.after, self.buckets = task, after, buckets


TABLE = {"layers": 0, "heads": 0, "inner": 0, "positions": 0, "types": 0, "activation": LINEAR}
CASES = (
    Case("bert", bert),
    Case("bert_first", bert, pooling=FIRST, normalizes=0, width=40, heads=2, inner=72),
    Case("bert_max", bert, pooling=MAX, activation=RELU, types=1),
    Case("bert_last", bert, pooling=LAST, layers=1),
    Case("bert_sqrt", bert, pooling=MEAN_SQRT, normalizes=0, layers=1),
    Case("bert_weighted", bert, pooling=WEIGHTED, layers=3, width=32, inner=64),
    Case("bert_dense", bert, after=((20, TANH),)),
    Case("bert_labels", bert, pooling=FIRST, normalizes=0, task=LABELS, after=((48, TANH), (5, LINEAR))),
    Case("roberta", roberta, first=2, types=1, epsilon=1e-5, pooling=FIRST, normalizes=0,
         task=CLASSES, after=((48, TANH), (3, LINEAR))),
    Case("distilbert", distilbert, types=0, pooling=FIRST, normalizes=0, task=VALUES,
         after=((48, RELU), (1, LINEAR))),
    Case("mpnet", mpnet, first=2, types=0, epsilon=1e-5, buckets=32, positions=400),
    Case("table", table, **TABLE),
)


def pool(x, pooling):
    n = len(x)
    weights = torch.arange(1, n + 1, dtype=x.dtype)[:, None]
    return {MEAN: lambda: x.mean(0), FIRST: lambda: x[0], LAST: lambda: x[-1],
            MAX: lambda: x.max(0).values, MEAN_SQRT: lambda: x.sum(0) / n**0.5,
            WEIGHTED: lambda: (x * weights).sum(0) / weights.sum()}[pooling]()


def answer(case, run, ids, n_first):
    types = torch.zeros_like(ids)
    if case.types > 1:
        types[n_first:] = 1
    x = pool(run(ids[None], types[None]), case.pooling)
    for i, (n, act) in enumerate(case.after):
        x = ACTIVATIONS[act](F.linear(x, array(AFTER, i, False, n, len(x)), array(AFTER, i, True, n)))
    if case.normalizes:
        x = x / max(float(x.norm()), 1e-12)
    return TASKS[case.task](x)


def write_case(file, number, case):
    run = case.make(case)
    lengths = LONG if case.positions > 300 else LENGTHS
    u = uniforms(1000000 + number, sum(n for n, _ in lengths))
    ids = torch.tensor(1 + np.floor(u * (case.words - 1)).astype(np.int64))
    if case.first > 0:          # Roberta takes these for padding
        ids[ids == case.first - 1] = case.first
    print("case", case.name, *case.numbers, file=file)
    print(len(case.after), *(number for layer in case.after for number in layer), file=file)
    print(len(lengths), *(number for pair in lengths for number in pair), file=file)
    at = 0
    for n, n_first in lengths:
        with torch.no_grad():
            print(*(f"{x:.10g}" for x in answer(case, run, ids[at:at + n], n_first).tolist()), file=file)
        at += n


def main():
    folder = os.path.dirname(os.path.abspath(__file__))
    with open(os.path.join(folder, "encoder.txt"), "w", encoding="ascii") as file:
        print("# made by make_encoder.py", file=file)
        for number, case in enumerate(CASES):
            write_case(file, number, case)


if __name__ == "__main__":
    main()
