"""Write layers_recurrent.txt: layers of sequences as Keras 3 has them.

    KERAS_BACKEND=torch python3 test/golden/make_layers_recurrent.py \
        > test/golden/layers_recurrent.txt

The format is described in layer_cases.py.  Masks are made by a probe, or by an embedding.
"""

import keras
import numpy as np
import torch
from keras import layers

from layer_cases import keras_weights, rounded, set_random, write_case, write_head

KINDS = {"lstm": layers.LSTM, "gru": layers.GRU, "simple_rnn": layers.SimpleRNN}
MERGES = ("concat", "sum", "mul", "ave")
LENGTHS = (2, 5, 0, 4)      # of rows, behind which there is padding


def sequences(rng, steps, features, mask=None):
    """Rows of random numbers, 0 where the mask has 0 and nowhere else"""
    rows = len(LENGTHS) if mask is None else len(mask)
    x = rounded(rng.normal(size=(rows, steps, features)))
    x[x == 0] = 0.5
    return x if mask is None else x * mask[:, :, None]


def padded(steps=5):
    return np.array([[float(t < length) for t in range(steps)] for length in LENGTHS])


def with_gaps():
    mask = padded()
    mask[1, 0] = mask[1, 3] = mask[3, 1] = mask[3, 2] = 0
    return mask


def write_recurrent(name, kind, units, rng, shape=(5, 2), mask=None, **options):
    own = {k: v for k, v in options.items() if k not in ("bidirectional", "merge_mode")}
    if own.get("activation") == "gelu":
        own["activation"] = lambda x: keras.activations.gelu(x, approximate=False)
    layer = KINDS[kind](units, **own)
    if options.get("bidirectional"):
        layer = layers.Bidirectional(layer, merge_mode=options.get("merge_mode", "concat"))
    layer.build((None, *shape))
    weights = keras_weights(layer)
    set_random(weights, rng)
    x = sequences(rng, *shape, mask)
    given = None if mask is None else keras.ops.convert_to_tensor(mask != 0)
    write_case(name, [{"probe": True, "mask": mask is not None}, {kind: units, **options}],
               lambda x: layer(x, mask=given), x, weights, rng)


def write_kind(kind, rng):
    write_recurrent(kind, kind, 3, rng)
    write_recurrent(kind + "_wide", kind, 9, rng, shape=(2, 5), return_sequences=True)
    write_recurrent(kind + "_no_bias", kind, 2, rng, use_bias=False, return_sequences=True)
    write_recurrent(kind + "_padded", kind, 3, rng, mask=padded())
    write_recurrent(kind + "_padded_steps", kind, 3, rng, mask=padded(), return_sequences=True)
    write_recurrent(kind + "_gaps", kind, 3, rng, mask=with_gaps())
    write_recurrent(kind + "_gaps_steps", kind, 3, rng, mask=with_gaps(), return_sequences=True)
    write_recurrent(kind + "_both", kind, 2, rng, bidirectional=True)
    write_recurrent(kind + "_both_gaps", kind, 2, rng, bidirectional=True, mask=with_gaps())
    for merge in MERGES:
        write_recurrent(kind + "_both_" + merge, kind, 2, rng, bidirectional=True,
                        merge_mode=merge, return_sequences=True, mask=with_gaps())


def write_embedding(name, words, dim, rng, mask_zero=False, with_lstm=False):
    x = rng.integers(0, words, size=(5, 7)).astype(float)
    x[:, 4:] *= rng.integers(0, 2, size=(5, 3))
    embedding = layers.Embedding(words, dim, mask_zero=mask_zero)
    embedding.build((None, 7))
    parts = [embedding]
    ours = [{"embedding": dim, "input_dim": words, "mask_zero": mask_zero}]
    if with_lstm:
        parts.append(layers.LSTM(3))
        parts[1].build((None, 7, dim))
        ours.append({"lstm": 3})
    weights = keras_weights(*parts)
    set_random(weights, rng)
    write_case(name, ours, keras.Sequential(parts), x, weights, rng, has_probe=False)


def write_positions(rng):
    position = keras.Variable(np.zeros((5, 4)), name="embeddings")
    set_random([position], rng)
    write_case("positional_embedding", [{"positional_embedding": "uniform"}],
               lambda x: x + position.value, sequences(rng, 5, 4), [position], rng)


def attend(x, weights, seen):
    """Keras's MultiHeadAttention of x to itself, which it computes in float32 in part"""
    kernels = weights[::2] if len(weights) == 8 else weights
    biases = weights[1::2] if len(weights) == 8 else [0] * 4
    query, key, value = [torch.einsum("btf,fhd->bhtd", x, k) + (b[:, None] if len(weights) == 8 else 0)
                         for k, b in zip(kernels[:3], biases)]
    scores = query @ key.transpose(2, 3) / query.shape[-1] ** 0.5
    shares = torch.softmax(scores.masked_fill(~seen[:, None], -1e30), dim=-1) * seen[:, None]
    return torch.einsum("bhtd,hdf->btf", shares @ value, kernels[3]) + biases[3]


def write_attention(name, rng, shape=(5, 4), heads=2, mask=None, rows=3, **options):
    """The mask is of keys: unlike ours, Keras masks queries too, whose answers nobody needs."""
    key_dim = options.get("key_dim", shape[1] // heads)
    layer = layers.MultiHeadAttention(heads, key_dim, value_dim=options.get("value_dim"),
                                      use_bias=options.get("use_bias", True))
    layer.build((None, *shape), (None, *shape))
    weights = keras_weights(layer)
    set_random(weights, rng)
    x = sequences(rng, *shape, mask)[:len(mask) if mask is not None else rows]
    ours = [{"probe": True, "mask": mask is not None}, {"attention": heads, **options}]
    seen = np.ones((len(x), shape[0], shape[0]), dtype=bool)
    if mask is not None:
        seen &= mask[:, None, :] != 0
    if options.get("causal"):
        seen &= np.tril(np.ones((shape[0], shape[0]), dtype=bool))
    seen = torch.tensor(seen)
    sees = seen.any(dim=2)      # else ours takes nothing, and Keras an average

    def run(x):
        y = attend(x, [w.value for w in weights], seen)
        other = layer(x, x, attention_mask=seen)
        assert torch.allclose(y[sees], other[sees], rtol=1e-5, atol=1e-5)
        return y

    write_case(name, ours, run, x, weights, rng)


def write_attentions(rng):
    mask = padded()
    holes = mask[[0, 1, 3]]
    holes[0, 0] = holes[1, 1] = holes[2, 2] = 0
    write_attention("attention", rng)
    write_attention("attention_causal", rng, causal=True)
    write_attention("attention_dims", rng, key_dim=2, value_dim=5)
    write_attention("attention_no_bias", rng, heads=4, use_bias=False)
    write_attention("attention_padded", rng, mask=mask)
    write_attention("attention_holes", rng, mask=holes)
    write_attention("attention_causal_holes", rng, mask=holes, causal=True)
    write_attention("attention_long", rng, shape=(70, 2), rows=1, key_dim=3)
    write_attention("attention_long_causal", rng, shape=(70, 2), rows=1, causal=True)


def main():
    rng = np.random.default_rng(20250402)
    write_head("make_layers_recurrent.py")
    for kind in KINDS:
        write_kind(kind, rng)
    for activation in ("relu", "gelu", "softmax", "linear"):
        write_recurrent("simple_rnn_" + activation, "simple_rnn", 3, rng, activation=activation)
    write_embedding("embedding", 9, 3, rng)
    write_embedding("embedding_masked", 6, 3, rng, mask_zero=True, with_lstm=True)
    write_positions(rng)
    write_attentions(rng)


if __name__ == "__main__":
    main()
