"""Write layers_dense.txt: dense and activation layers as Keras 3 has them.

    KERAS_BACKEND=torch python3 test/golden/make_layers_dense.py > test/golden/layers_dense.txt

The format is described in layer_cases.py.
"""

import keras
import numpy as np
from keras import layers

from layer_cases import keras_weights, rounded, set_random, write_case, write_head

ACTIVATIONS = {
    "linear": "linear",
    "relu": "relu",
    "leaky_relu": "leaky_relu",
    "elu": "elu",
    "selu": "selu",
    "gelu": lambda x: keras.activations.gelu(x, approximate=False),
    "gelu_tanh": lambda x: keras.activations.gelu(x, approximate=True),
    "silu": "silu",
    "sigmoid": "sigmoid",
    "tanh": "tanh",
    "softplus": "softplus",
    "softmax": "softmax",
}


def write_dense(name, shape, units, rng, options=None, rows=4):
    options = dict(options or {})
    activation = ACTIVATIONS[options.get("activation", "linear")]
    layer = layers.Dense(units, activation=activation, use_bias=options.get("use_bias", True))
    layer.build((None, *shape))
    weights = keras_weights(layer)
    set_random(weights, rng)
    x = rounded(rng.normal(size=(rows, *shape)))
    write_case(name, [{"dense": units, **options}], layer, x, weights, rng)


def main():
    rng = np.random.default_rng(20250401)
    write_head("make_layers_dense.py")
    write_dense("dense", (7,), 5, rng)
    write_dense("dense_wide", (33,), 17, rng, {"activation": "relu"})
    write_dense("dense_no_bias", (3,), 4, rng, {"use_bias": False, "activation": "tanh"})
    write_dense("dense_steps", (3, 5), 4, rng, {"activation": "sigmoid"})
    for activation, function in ACTIVATIONS.items():
        write_dense("dense_" + activation, (5,), 6, rng, {"activation": activation}, rows=3)
        layer = layers.Activation(function)
        write_case("activation_" + activation, [{"activation": activation}], layer,
                   rounded(rng.normal(size=(3, 2, 5)) * 2), [], rng)


if __name__ == "__main__":
    main()
