"""Write layers_conv.txt: convolutions, pooling, normalising and merging as Keras 3 has them.

    KERAS_BACKEND=torch python3 test/golden/make_layers_conv.py > test/golden/layers_conv.txt

The format is described in layer_cases.py.
"""

import keras
import numpy as np
from keras import layers

from layer_cases import keras_weights, rounded, set_random, tensor, write_case, write_head


def write_layer(name, shape, layer, definition, rng, rows=3, x=None, **options):
    layer.build((None, *shape))
    weights = keras_weights(layer)
    set_random(weights, rng)
    if x is None:
        x = rounded(rng.normal(size=(rows, *shape)))
    write_case(name, [definition], layer, x, weights, rng, **options)


def write_conv(name, shape, filters, size, rng, rows=2, **options):
    kind, function = (("conv1d", layers.Conv1D), ("conv2d", layers.Conv2D))[len(shape) - 2]
    layer = function(filters, size, **options)
    write_layer(name, shape, layer, {kind: filters, "kernel_size": size, **options}, rng, rows)


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


def write_pools(rng):
    for shape in ((5, 6, 2), (3, 3, 17), (7, 2)):
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


class BatchNorm:
    """Keras's layer, whose own arithmetic is not all float64: compared with it, within float"""

    def __init__(self, shape, rng, momentum=0.99, epsilon=0.001, center=True, scale=True):
        self.keras = layers.BatchNormalization(momentum=momentum, epsilon=epsilon, center=center,
                                               scale=scale)
        self.keras.build((None, *shape))
        set_random(self.keras.weights, rng)
        self.weights = [tensor(w.value.detach(), w.trainable) for w in self.keras.weights]
        for mine, w in zip(self.weights, self.keras.weights):
            mine.trainable = w.trainable
        self.gamma = self.weights[0] if scale else 1
        self.beta = self.weights[1 if scale else 0] if center else 0
        self.mean, self.variance = self.weights[-2:]
        self.momentum, self.epsilon = momentum, epsilon

    def __call__(self, x, training=False, mask=None):
        expected = self.keras(x.detach(), training=training, mask=mask)
        mean, variance = self.mean.clone(), self.variance.clone()
        if training:
            places = x.reshape(-1, x.shape[-1]) if mask is None else x[mask]
            mean, variance = places.mean(axis=0), places.var(axis=0, correction=0)
            for state, now in ((self.mean, mean), (self.variance, variance)):
                state.data = state.data * self.momentum + now.detach() * (1 - self.momentum)
        y = (x - mean) / (variance + self.epsilon).sqrt() * self.gamma + self.beta
        assert np.allclose(y.detach(), expected.detach(), atol=1e-5)
        for mine, theirs in zip((self.mean, self.variance), self.keras.weights[-2:]):
            assert np.allclose(mine.detach(), theirs.value.detach(), atol=1e-6)
        return y


def masked(rng, rows, steps, features):
    x = rounded(rng.normal(size=(rows, steps, features)))
    for i in range(rows):
        x[i, i + 1:] = 0
    return x


def write_masks(rng):
    x = masked(rng, 4, 5, 3)
    mask = tensor((x != 0).any(axis=-1)).bool()
    layer = layers.GlobalAveragePooling1D()
    write_case("global_average_mask", [{"probe": True, "mask": True}, {"global_pool": "average"}],
               lambda x: layer(x, mask=mask), x, [], rng)
    for name, training in (("train", True), ("apply", False)):
        norm = BatchNorm((5, 3), rng)
        write_case("batch_norm_mask_" + name, [{"probe": True, "mask": True}, {"batch_norm": 0.99}],
                   lambda x: norm(x, training, mask), x, norm.weights, rng, mode=name)


def write_norms(rng):
    for shape in ((5,), (2, 2, 3), (17,)):
        for name, options in (("plain", {}), ("bare", {"center": False, "scale": False}),
                              ("scale", {"center": False, "epsilon": 0.01}),
                              ("center", {"scale": False})):
            for mode, training in (("train", True), ("apply", False)):
                momentum = 0.75 if name == "scale" else 0.99
                norm = BatchNorm(shape, rng, momentum, **options)
                write_case(f"batch_norm_{name}_{mode}_{shape[-1]}",
                           [{"batch_norm": momentum, **options}], lambda x: norm(x, training),
                           rounded(rng.normal(size=(4, *shape)) + 1), norm.weights, rng, mode=mode)
            write_layer(f"layer_norm_{name}_{shape[-1]}", shape, layers.LayerNormalization(**options),
                        {"layer_norm": options.get("epsilon", 0.001),
                         **{k: v for k, v in options.items() if k != "epsilon"}}, rng)
    norm = BatchNorm((6,), rng)
    for weight in norm.weights[:2]:
        weight.requires_grad = False
    write_case("batch_norm_frozen", [{"batch_norm": 0.99, "frozen": True}], norm,
               rounded(rng.normal(size=(3, 6))), norm.weights, rng)


def write_first_norms(rng):
    """Layers that nobody asks for the gradient by their input"""
    write_layer("layer_norm_first", (2, 5), layers.LayerNormalization(), {"layer_norm": 0.001}, rng,
                has_probe=False)
    write_conv_first = layers.Conv2D(3, 2)
    write_layer("conv2d_first", (3, 4, 2), write_conv_first, {"conv2d": 3, "kernel_size": 2}, rng,
                has_probe=False)


def write_others(rng):
    x = rounded(rng.normal(size=(3, 2, 5)))
    mean, variance = rounded(rng.normal(size=5)), np.abs(rounded(rng.normal(size=5))) + 0.5
    variance[2] = 0
    states = [tensor(mean), tensor(variance)]
    for state in states:
        state.trainable = False
    layer = layers.Normalization(mean=mean, variance=variance)
    layer.build((None, 2, 5))
    x[:, :, 2] = mean[2]
    write_case("normalize", [{"normalize": -1}], layer, x, states, rng)
    write_layer("rescale", (3, 2), layers.Rescaling(0.125, -1.5), {"rescale": 0.125, "offset": -1.5},
                rng)
    write_case("dropout_applied", [{"dropout": 0.5}], lambda x: x, x, [], rng, mode="apply")


def write_merges(rng):
    x = rounded(rng.normal(size=(3, 2, 4)))
    dense = layers.Dense(4)
    dense.build((None, 2, 4))
    wide = layers.Dense(3)
    wide.build((None, 2, 4))
    for layer in (dense, wide):
        set_random(layer.weights, rng)
    write_case("add", [{"probe": True}, {"dense": 4}, {"add": "probe"}],
               lambda x: dense(x) + x, x, keras_weights(dense), rng)
    write_case("add_twice", [{"probe": True}, {"add": ["probe", "probe"]}],
               lambda x: x + x + x, x, [], rng)
    write_case("add_input", [{"dense": 4}, {"add": "input"}], lambda x: dense(x) + x, x,
               keras_weights(dense), rng, has_probe=False)
    write_case("concatenate", [{"probe": True}, {"dense": 3}, {"concatenate": ["probe", "dense"]}],
               lambda x: keras.ops.concatenate([wide(x), x, wide(x)], axis=-1), x,
               keras_weights(wide), rng)
    write_case("concatenate_input", [{"dense": 3}, {"concatenate": "input"}],
               lambda x: keras.ops.concatenate([wide(x), x], axis=-1), x, keras_weights(wide), rng,
               has_probe=False)


def write_networks(rng):
    """Several layers, as they are used together"""
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
    write_pools(rng)
    write_masks(rng)
    write_norms(rng)
    write_first_norms(rng)
    write_others(rng)
    write_merges(rng)
    write_networks(rng)


if __name__ == "__main__":
    main()
