#!/usr/bin/env python3
"""Models of Keras, with the shapes and the numbers of weights that Keras tells of them.

Writes test/data/keras/NAME.json, by model.to_json(), and test/golden/definitions.txt:

    model NAME
    layer NAME SHAPE WEIGHTS        the shape without the batch, as 28,28,1
    total WEIGHTS

Needs the package keras with any backend.  keras2_*.json are not made here: they are as
Keras 2 writes them.
"""

import json
import os
import pathlib

os.environ.setdefault("KERAS_BACKEND", "torch")

import keras
from keras import layers, regularizers

HERE = pathlib.Path(__file__).parent
DATA = HERE.parent / "data" / "keras"


def mlp():
    return keras.Sequential([
        layers.Input((20,)),
        layers.Dense(16, activation="relu", kernel_initializer="he_normal"),
        layers.Dropout(0.2),
        layers.BatchNormalization(momentum=0.9),
        layers.Dense(8, activation="swish", use_bias=False),
        layers.Dense(3, activation="softmax", name="out"),
    ])


def cnn():
    return keras.Sequential([
        layers.Input((28, 28, 1)),
        layers.Rescaling(1 / 255),
        layers.Conv2D(4, 3, activation="relu", padding="same", strides=2,
                      kernel_regularizer=regularizers.L2(0.01)),
        layers.MaxPooling2D(3, strides=2, padding="same"),
        layers.Conv2D(6, (3, 2), kernel_regularizer=regularizers.L1L2(0.1, 0.2)),
        layers.AveragePooling2D(2),
        layers.BatchNormalization(scale=False),
        layers.Flatten(),
        layers.Dense(10),
        layers.Softmax(),
    ])


def cnn1d():
    return keras.Sequential([
        layers.Input((30, 5)),
        layers.Conv1D(7, 4, strides=3),
        layers.LeakyReLU(negative_slope=0.2),
        layers.MaxPooling1D(3, padding="same"),
        layers.Conv1D(9, 2, padding="same", activation="gelu"),
        layers.GlobalMaxPooling1D(),
        layers.Dense(1, activation="sigmoid"),
    ])


def lstm():
    return keras.Sequential([
        layers.Input((12,)),
        layers.Embedding(50, 6, mask_zero=True),
        layers.Bidirectional(layers.LSTM(4, return_sequences=True), name="both"),
        layers.LSTM(3, unit_forget_bias=False, recurrent_regularizer=regularizers.L2(0.5)),
        layers.Dense(2),
    ])


def gru():
    return keras.Sequential([
        layers.Input((9, 4)),
        layers.GRU(5, return_sequences=True),
        layers.Bidirectional(layers.SimpleRNN(3, activation="relu", return_sequences=True),
                             merge_mode="sum"),
        layers.TimeDistributed(layers.Dense(2, activation="tanh")),
    ])


def pooling():
    return keras.Sequential([
        layers.Input((17, 13, 2)),
        layers.MaxPooling2D((2, 3), strides=(3, 1)),
        layers.AveragePooling2D(4, strides=3, padding="same"),
        layers.Reshape((-1, 8)),
        layers.AveragePooling1D(2),
        layers.GlobalAveragePooling1D(),
    ])


def normalize():
    model = keras.Sequential([
        layers.Input((6,)),
        layers.Normalization(),
        layers.Dense(4, trainable=False, activation="elu", kernel_initializer="lecun_uniform"),
        layers.LayerNormalization(epsilon=1e-6),
        layers.ELU(),
        layers.Dense(1),
    ])
    return model


def deferred():
    model = keras.Sequential([layers.Dense(3), layers.ReLU(), layers.Dense(1)])
    model.build((None, 4))
    return model


def variable():
    return keras.Sequential([
        layers.Input((None,)),
        layers.Embedding(30, 4),
        layers.GlobalAveragePooling1D(),
        layers.Dense(1),
    ])


def residual():
    x = start = keras.Input((8,))
    y = layers.Dense(8, activation="relu")(x)
    y = layers.Dense(8)(y)
    x = x + y
    x = layers.Concatenate()([x, y, start])
    return keras.Model(start, layers.Dense(2)(x))


def transformer():
    x = start = keras.Input((10,))
    x = layers.Embedding(40, 6, mask_zero=True)(x)
    y = layers.MultiHeadAttention(2, 5)(x, x)
    x = layers.Add()([x, y])
    x = layers.LayerNormalization()(x)
    y = layers.MultiHeadAttention(3, 4, value_dim=2, use_bias=False)(
        query=x, value=x, key=x, use_causal_mask=True)
    x = layers.Concatenate()([x, y])
    x = layers.TimeDistributed(layers.Dense(7))(x)
    x = layers.Activation("relu")(x)
    x = layers.GlobalAveragePooling1D()(x)
    return keras.Model(start, layers.Dense(2)(x))


def count(layer):
    # of a Normalization Keras also counts the rows that it has seen
    return layer.count_params() - isinstance(layer, layers.Normalization)


def main():
    lines = []
    for make in (mlp, cnn, cnn1d, lstm, gru, pooling, normalize, deferred, variable, residual,
                 transformer):
        keras.utils.clear_session()
        model = make()
        text = json.dumps(json.loads(model.to_json()), separators=(",", ":"))
        (DATA / f"{make.__name__}.json").write_text(text + "\n")
        lines.append(f"model {make.__name__}")
        for layer in model.layers:
            if isinstance(layer, layers.InputLayer):
                continue
            shape = ",".join("?" if n is None else str(n) for n in layer.output.shape[1:])
            lines.append(f"layer {layer.name} {shape} {count(layer)}")
        lines.append(f"total {sum(count(layer) for layer in model.layers)}")
    (HERE / "definitions.txt").write_text("\n".join(lines) + "\n")


main()
