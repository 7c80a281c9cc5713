"""The networks of make bench-network in PyTorch and in Keras, as fast as each of them goes.

PyTorch: eager, images in channels_last, Adam as one fused step.  Keras: fit on tensors that
are there already, PyTorch below it; nothing is measured but the loss.  Inputs are tensors:
images [n, 28, 28, 1] of 0 to 1, or words [n, 40] as numbers, padded with 0 at the end.
"""

import os
import time

os.environ["KERAS_BACKEND"] = "torch"

import keras
import torch
from torch import nn

WARM_ROWS = 640                 # learnt from before the clock runs
LEARNING_RATE = 0.001
PREDICT_BATCHES = (250, 1000, 10000)


def set_threads(n):
    torch.set_num_threads(n)


class LastStep(nn.Module):
    """An LSTM's output after the last word.  Steps behind it are computed and left out: with
    pack_padded_sequence an epoch takes over twice as long."""

    def __init__(self, n_words):
        super().__init__()
        self.embedding = nn.Embedding(n_words, 64, padding_idx=0)
        self.lstm = nn.LSTM(64, 64, batch_first=True)

    def forward(self, words):
        last = (words != 0).sum(1).clamp(min=1) - 1
        return self.lstm(self.embedding(words))[0][torch.arange(len(words)), last]


class Torch:
    NAME = "PyTorch"

    def __init__(self, kind, n_words):
        self.is_image = kind == "cnn"
        if kind == "mlp":
            layers = [nn.Flatten(), nn.Linear(784, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(),
                      nn.Linear(64, 10)]
        elif kind == "cnn":
            layers = [nn.Conv2d(1, 32, 3), nn.ReLU(), nn.MaxPool2d(2),
                      nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2),
                      nn.Flatten(), nn.Linear(1600, 64), nn.ReLU(), nn.Linear(64, 10)]
        else:
            layers = [LastStep(n_words), nn.Linear(64, 3)]
        self.network = nn.Sequential(*layers)
        if self.is_image:
            self.network = self.network.to(memory_format=torch.channels_last)
        self.optimiser = torch.optim.Adam(self.network.parameters(), lr=LEARNING_RATE, fused=True)

    def prepared(self, inputs):
        if not self.is_image:
            return inputs
        return inputs.permute(0, 3, 1, 2).contiguous(memory_format=torch.channels_last)

    def fit(self, inputs, targets, batch_size, epochs):
        loss = nn.CrossEntropyLoss()
        self.network.train()
        for _ in range(epochs):
            order = torch.randperm(len(inputs))
            for i in range(0, len(inputs), batch_size):
                batch = order[i:i + batch_size]
                self.optimiser.zero_grad()
                loss(self.network(inputs[batch]), targets[batch]).backward()
                self.optimiser.step()

    def outputs(self, inputs, batch_size):
        self.network.eval()
        with torch.inference_mode():
            return torch.cat([self.network(part) for part in inputs.split(batch_size)])


class Keras:
    NAME = "Keras"

    def __init__(self, kind, n_words):
        layers = keras.layers
        if kind == "mlp":
            stack = [keras.Input((28, 28, 1)), layers.Flatten(), layers.Dense(64, "relu"),
                     layers.Dense(64, "relu"), layers.Dense(10)]
        elif kind == "cnn":
            stack = [keras.Input((28, 28, 1)),
                     layers.Conv2D(32, 3, activation="relu"), layers.MaxPooling2D(2),
                     layers.Conv2D(64, 3, activation="relu"), layers.MaxPooling2D(2),
                     layers.Flatten(), layers.Dense(64, "relu"), layers.Dense(10)]
        else:
            stack = [keras.Input((40,)), layers.Embedding(n_words, 64, mask_zero=True),
                     layers.LSTM(64), layers.Dense(3)]
        self.network = keras.Sequential(stack)
        self.network.compile(keras.optimizers.Adam(LEARNING_RATE),
                             keras.losses.SparseCategoricalCrossentropy(from_logits=True))

    def prepared(self, inputs):
        return inputs

    def fit(self, inputs, targets, batch_size, epochs):
        self.network.fit(inputs, targets, batch_size=batch_size, epochs=epochs, verbose=0)

    def outputs(self, inputs, batch_size):
        return torch.as_tensor(self.network.predict(inputs, batch_size=batch_size, verbose=0))


PEERS = (Torch, Keras)


def train(peer, kind, part, n_words, batch_size, epochs):
    """(seconds, network)"""
    network = peer(kind, n_words)
    inputs, targets = network.prepared(part.inputs), part.targets
    peer(kind, n_words).fit(inputs[:WARM_ROWS], targets[:WARM_ROWS], batch_size, 1)
    start = time.perf_counter()
    network.fit(inputs, targets, batch_size, epochs)
    return time.perf_counter() - start, network


def accuracy(network, part):
    found = network.outputs(network.prepared(part.inputs), 1000).argmax(1)
    return float((found == part.targets).float().mean())


class Applier:
    """Runs a network over inputs, in the batches that it is fastest with."""

    def __init__(self, peer, kind, inputs):
        self.name = peer.NAME
        self.network = peer(kind, 0)
        self.inputs = self.network.prepared(inputs)
        self.batch_size = min(PREDICT_BATCHES, key=self.seconds)

    def seconds(self, batch_size=None):
        start = time.perf_counter()
        self.network.outputs(self.inputs, batch_size or self.batch_size)
        return time.perf_counter() - start


#
# Small sets of numbers
#

def fit_small(kind, part, test, epochs, seed):
    """What Keras's network predicts of the rows to test on: numbers of classes, or values"""
    layers = keras.layers
    keras.utils.set_random_seed(seed)
    normalise = layers.Normalization()
    normalise.adapt(part.inputs.numpy())
    if kind == "digits":
        stack = [layers.Dense(64, "relu"), layers.Dense(10)]
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    else:
        stack = [layers.Dense(32, "relu"), layers.Dense(1)]
        loss = "mean_squared_error"
    network = keras.Sequential([keras.Input((part.inputs.shape[1],)), normalise, *stack])
    network.compile(keras.optimizers.Adam(0.01), loss)
    network.fit(part.inputs, part.targets, batch_size=32, epochs=epochs, verbose=0)
    found = torch.as_tensor(network.predict(test.inputs, verbose=0))
    return found.argmax(1) if kind == "digits" else found[:, 0]
