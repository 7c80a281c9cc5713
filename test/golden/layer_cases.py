"""The format of layers_*.txt, which test/unit/test_layers.c reads.

A case is

    case NAME MODE ROWS N_DIMS DIMS...
    LAYERS
    numbers

LAYERS is the network in JSON, in one line.  A layer {"probe": false} passes its input on and
tells the gradient that comes back to it; {"probe": true, "mask": true} makes a mask besides, of the
steps whose features are not all 0.  MODE is "plain" if a network gives the same when it is trained and
applied, "train" and "apply" if the numbers are of one of them.  The numbers are, each array on
a line:

    the input, [ROWS, DIMS...]
    the weights and states of all layers but probes, in the order of layers and of their weights
    the output
    not for "apply":
    the gradient of the loss by the output
    its gradient by the input, if there is a probe
    its gradients by the weights, without states
    for "train": the states after the step

All that goes in, float holds exactly; what comes out is computed in float64.
"""

import json

import keras
import numpy as np
import torch

keras.config.set_floatx("float64")


def rounded(numbers, steps=32):
    """With few bits, so that float has them and files are small"""
    return np.round(np.asarray(numbers) * steps) / steps


def tensor(numbers, needs_gradient=False):
    return torch.tensor(np.asarray(numbers), dtype=torch.float64, requires_grad=needs_gradient)


def keras_weights(*layers):
    """The variables of built layers of Keras, where their order is that of ours"""
    return [v for layer in layers for v in layer.weights if v.dtype.startswith("float")]


def set_random(weights, rng, scale=0.5):
    for w in weights:
        numbers = rounded(rng.normal(size=tuple(w.shape)) * scale)
        w.assign(np.abs(numbers) + 0.5 if "variance" in w.path else numbers)


def write_numbers(numbers, digits=8):
    if isinstance(numbers, torch.Tensor):
        numbers = numbers.detach().numpy()
    print(*[f"{float(x):.{digits}g}" for x in np.asarray(numbers).ravel()])


def write_case(name, layers, run, x, weights, rng, mode="plain", has_probe=True, shares=None):
    """run(x) goes through the network; weights are variables of Keras or tensors, states too.
    shares: of each row, how much of the gradient by the output is not 0"""
    values = [w.value if hasattr(w, "value") else w for w in weights]
    is_state = [not getattr(w, "trainable", True) for w in weights]
    before = [v.detach().numpy().copy() for v in values]
    x = tensor(x, has_probe)
    for v in values:
        v.grad = None
    y = run(x)
    shape = list(x.shape[1:])
    print("case", name, mode, len(x), len(shape), *shape)
    print(json.dumps(([{"probe": True}] if has_probe and "probe" not in layers[0] else []) + layers))
    write_numbers(x)
    for numbers in before:
        write_numbers(numbers)
    write_numbers(y)
    if mode == "apply":
        return
    gradient = rounded(rng.normal(size=tuple(y.shape)))
    for i, share in enumerate(shares or []):
        gradient[i] *= rng.uniform(size=gradient[i].shape) < share
    if y.requires_grad:
        y.backward(tensor(gradient))
    write_numbers(gradient)
    if has_probe:
        write_numbers(x.grad)
    for v, state in zip(values, is_state):
        if not state:
            write_numbers(torch.zeros_like(v) if v.grad is None else v.grad)
    if mode == "train":
        for v, state in zip(values, is_state):
            if state:
                write_numbers(v)


def write_layer(name, shape, layer, definition, rng, rows=3, x=None, **options):
    layer.build((None, *shape))
    weights = keras_weights(layer)
    set_random(weights, rng)
    if x is None:
        x = rounded(rng.normal(size=(rows, *shape)))
    write_case(name, [definition], layer, x, weights, rng, **options)


def write_head(script):
    print("# made by", script, "with Keras", keras.__version__, "and torch", torch.__version__)
