"""Write layers_conv.txt: convolutions and pooling as Keras 3 has them.

    KERAS_BACKEND=torch python3 test/golden/make_layers_conv.py > test/golden/layers_conv.txt

The format is described in layer_cases.py.
"""

import keras
import numpy as np
from keras import layers

from layer_cases import keras_weights, rounded, set_random, write_case, write_head, write_layer


def write_conv(name, shape, filters, size, rng, rows=2, shares=None, **options):
    kind, function = (("conv1d", layers.Conv1D), ("conv2d", layers.Conv2D))[len(shape) - 2]
    layer = function(filters, size, **options)
    write_layer(name, shape, layer, {kind: filters, "kernel_size": size, **options}, rng, rows,
                shares=shares)


def write_convolutions(rng):
    write_conv("conv2d", (5, 6, 3), 4, 3, rng)
    write_conv("conv2d_one_channel", (6, 5, 1), 17, 3, rng, activation="relu")
    write_conv("conv2d_same", (4, 5, 2), 3, 3, rng, padding="same", activation="tanh")
    write_conv("conv2d_same_even", (4, 3, 2), 3, [2, 4], rng, padding="same")
    write_conv("conv2d_strides", (7, 6, 2), 3, [3, 2], rng, strides=[2, 3])
    write_conv("conv2d_same_strides", (6, 5, 2), 3, 3, rng, padding="same", strides=2,
               activation="sigmoid")
    write_conv("conv2d_gaps", (5, 5, 2), 3, 1, rng, strides=2, use_bias=False)
    write_conv("conv2d_large_kernel", (3, 2, 2), 3, [5, 4], rng, padding="same")
    write_conv("conv2d_wide", (3, 9, 3), 6, [1, 3], rng, activation="silu")
    write_conv("conv2d_softmax", (3, 3, 2), 4, 2, rng, activation="softmax")
    write_conv("conv2d_pixels", (12, 13, 1), 1, 3, rng, rows=1, activation="relu")
    write_conv("conv1d", (7, 3), 4, 3, rng)
    write_conv("conv1d_same", (6, 2), 3, 4, rng, padding="same", strides=2, activation="elu")
    write_conv("conv1d_one", (5, 3), 2, 1, rng, use_bias=False)
    write_conv("conv1d_whole", (4, 2), 3, 4, rng, activation="relu")


def write_sparse_convolutions(rng):
    """Gradients that are mostly 0, as behind max_pool"""
    write_conv("conv2d_sparse", (4, 5, 9), 5, 2, rng, shares=[0.2, 0.05])
    write_conv("conv2d_sparse_same", (5, 4, 8), 3, [3, 2], rng, shares=[0.2, 0.1], padding="same",
               strides=[2, 1], activation="relu")
    write_conv("conv2d_mixed", (3, 4, 6), 7, 3, rng, rows=4, shares=[0.1, 1, 0.9, 0], padding="same")
    write_conv("conv1d_sparse", (9, 13), 4, 3, rng, shares=[0.1, 0.2])
    write_conv("conv1d_sparse_wide", (5, 70), 2, 2, rng, shares=[0.2, 0.3])


def write_pools(rng):
    for shape in ((5, 6, 2), (4, 3, 17), (7, 2)):
        kind = "2D" if len(shape) == 3 else "1D"
        for ours, theirs in (("max_pool", "Max"), ("avg_pool", "Average")):
            function = getattr(layers, theirs + "Pooling" + kind)
            for name, options in (("plain", {}), ("same", {"padding": "same"}),
                                  ("overlap", {"pool_size": 3, "strides": 1, "padding": "same"}),
                                  ("gaps", {"pool_size": 2, "strides": 3})):
                size = options.pop("pool_size", 2)
                write_layer(f"{ours}_{name}_{kind}_{shape[-1]}", shape, function(size, **options),
                            {ours: size, **options}, rng, rows=1)
        x = rounded(rng.normal(size=(1, *shape)), 4096)  # where equal ones are largest, Keras shares
        for mode, theirs in (("max", "Max"), ("average", "Average")):
            layer = getattr(layers, "Global" + theirs + "Pooling" + kind)()
            write_layer(f"global_{mode}_{kind}_{shape[-1]}", shape, layer, {"global_pool": mode}, rng,
                        x=x)
    equal = np.round(rng.normal(size=(2, 4, 4, 2)))
    write_layer("max_pool_equal", (4, 4, 2), layers.MaxPooling2D(), {"max_pool": 2}, rng, x=equal)


def write_networks(rng):
    """Several layers, as they are used together"""
    write_layer("conv2d_first", (3, 4, 2), layers.Conv2D(3, 2), {"conv2d": 3, "kernel_size": 2}, rng,
                has_probe=False)
    parts = [layers.Conv2D(17, 3, activation="relu", padding="same"), layers.MaxPooling2D(),
             layers.Conv2D(4, 2, activation="relu"), layers.GlobalAveragePooling2D(), layers.Dense(3)]
    model = keras.Sequential([keras.Input((6, 6, 1)), *parts])
    weights = keras_weights(*parts)
    set_random(weights, rng)
    definition = [{"conv2d": 17, "kernel_size": 3, "activation": "relu", "padding": "same"},
                  {"max_pool": 2}, {"conv2d": 4, "kernel_size": 2, "activation": "relu"},
                  {"global_pool": "average"}, {"dense": 3}]
    write_case("network", definition, model, rounded(rng.normal(size=(2, 6, 6, 1))), weights, rng)


def main():
    rng = np.random.default_rng(20250402)
    write_head("make_layers_conv.py")
    write_convolutions(rng)
    write_sparse_convolutions(rng)
    write_pools(rng)
    write_networks(rng)


if __name__ == "__main__":
    main()
