"""Write layers_norm.txt: normalising, scaling and merging as Keras 3 has them.

    KERAS_BACKEND=torch python3 test/golden/make_layers_norm.py > test/golden/layers_norm.txt

The format is described in layer_cases.py.
"""

import keras
import numpy as np
from keras import layers

from layer_cases import (keras_weights, rounded, set_random, tensor, write_case, write_head,
                         write_layer)


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


class LayerNorm:
    """Likewise"""

    def __init__(self, shape, rng, epsilon=0.001, center=True, scale=True):
        self.keras = layers.LayerNormalization(epsilon=epsilon, center=center, scale=scale)
        self.keras.build((None, *shape))
        set_random(self.keras.weights, rng)
        self.weights = [tensor(w.value.detach(), True) for w in self.keras.weights]
        self.gamma = self.weights[0] if scale else 1
        self.beta = self.weights[1 if scale else 0] if center else 0
        self.epsilon = epsilon

    def __call__(self, x):
        mean, variance = x.mean(axis=-1, keepdims=True), x.var(axis=-1, correction=0, keepdims=True)
        y = (x - mean) / (variance + self.epsilon).sqrt() * self.gamma + self.beta
        assert np.allclose(y.detach(), self.keras(x.detach()).detach(), atol=1e-5)
        return y


def write_layer_norm(name, shape, rng, options, **others):
    norm = LayerNorm(shape, rng, **options)
    definition = {"layer_norm": options.get("epsilon", 0.001), **options}
    definition.pop("epsilon", None)
    write_case(name, [definition], norm, rounded(rng.normal(size=(3, *shape))), norm.weights, rng,
               **others)


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
            write_layer_norm(f"layer_norm_{name}_{shape[-1]}", shape, rng, options)
    write_layer_norm("layer_norm_first", (2, 5), rng, {}, has_probe=False)
    norm = BatchNorm((6,), rng)
    for weight in norm.weights[:2]:
        weight.requires_grad = False
    write_case("batch_norm_frozen", [{"batch_norm": 0.99, "frozen": True}], norm,
               rounded(rng.normal(size=(3, 6))), norm.weights, rng)


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


def main():
    rng = np.random.default_rng(20250403)
    write_head("make_layers_norm.py")
    write_masks(rng)
    write_norms(rng)
    write_others(rng)
    write_merges(rng)


if __name__ == "__main__":
    main()
