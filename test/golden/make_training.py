"""Write training_*.txt: 200 steps of small networks as PyTorch and Keras 3 make them.

    KERAS_BACKEND=torch python3 test/golden/make_training.py [NETWORK]...

Networks are PyTorch's, but for the GRU, and updates Keras's, in float64.  What float costs is how
far float32 is from float64, at most, with the rows of each batch in different orders; there the
updates are PyTorch's too, which come nearer than Keras's, if it has the rule.

Rows and first weights come from SplitMix64, whose numbers u are cut to 24 bits in [0, 1):

    weights, seed 1     offset + scale * (2 u - 1), array by array
    classes, seed 2     floor(u * CLASSES), row by row
    inputs, seed 3      2 u - 1; or, with VOCABULARY, for each row first its length,
                        MIN + floor(u * (steps + 1 - MIN)), then for each of its steps a word,
                        1 + floor(u * (VOCABULARY - 1)), which is 0 from that length on

There are BATCHES batches of BATCH rows, which come in turn.  A case is

    case NAME OPTIMISER RATE CLASSES VOCABULARY MIN N_DIMS DIMS... N_ARRAYS
    LAYERS
    size, offset and scale of each array of weights
    the loss and all gradients of the first step, by the first weights, in float64
    for each of CHECKED: step NUMBER
        all weights after it, in float64
        for each array what float costs, the distance by the array's length
"""

import json
import os
import sys

import keras
import numpy as np
import torch
import torch.nn.functional as F

BATCH, BATCHES, ORDERS = 16, 10, 6
CHECKED = (1, 10, 50, 200)
OPTIMISERS = {"SGD": 0.1, "RMSprop": 0.003, "Adagrad": 0.03, "Adadelta": 1.0, "Adam": 0.01,
              "AdamW": 0.01, "Adamax": 0.01, "Nadam": 0.005, "Lion": 0.001}

# With Keras's options.  Keras adds Adam's epsilon before the correction of the bias, PyTorch after it.
IN_TORCH = {"SGD": {}, "Adadelta": {"rho": 0.95, "eps": 1e-7}, "Adam": {},
            "AdamW": {"weight_decay": 0.004}, "Adamax": {"eps": 1e-7}}


def uniforms(seed, n):
    with np.errstate(over="ignore"):
        z = np.uint64(seed) + np.arange(1, n + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return ((z ^ (z >> np.uint64(31))) >> np.uint64(40)) / 2.0**24


class Network:
    """arrays: shape, offset and scale of each array of weights"""

    def __init__(self, layers, shape, arrays, run, classes=3, vocabulary=0, least=0):
        self.layers, self.shape, self.arrays, self.run = layers, shape, arrays, run
        self.classes, self.vocabulary, self.least = classes, vocabulary, least

    def rows(self):
        n = BATCH * BATCHES
        classes = np.floor(uniforms(2, n) * self.classes).astype(np.int64)
        size = int(np.prod(self.shape))
        if self.vocabulary == 0:
            return (2 * uniforms(3, n * size) - 1).reshape(n, *self.shape), classes
        u = uniforms(3, n * (size + 1)).reshape(n, size + 1)
        lengths = self.least + np.floor(u[:, 0] * (size + 1 - self.least))
        words = 1 + np.floor(u[:, 1:] * (self.vocabulary - 1))
        words[np.arange(size) >= lengths[:, None]] = 0
        return words, classes

    def weights(self):
        sizes = [int(np.prod(shape)) for shape, _, _ in self.arrays]
        parts = np.split(2 * uniforms(1, sum(sizes)) - 1, np.cumsum(sizes)[:-1])
        return [(offset + scale * u).astype(np.float32).reshape(shape)
                for u, (shape, offset, scale) in zip(parts, self.arrays)]


def dense(n, m):
    return [((n, m), 0, 0.75), ((m,), 0, 0.125)]


def mlp():
    def run(w, x):
        x = F.relu(F.linear(x, w[0].T, w[1]))
        x = F.relu(F.linear(x, w[2].T, w[3]))
        return F.linear(x, w[4].T, w[5])

    return Network([{"dense": 8, "activation": "relu"}, {"dense": 6, "activation": "relu"},
                    {"dense": 3}], (6,), dense(6, 8) + dense(8, 6) + dense(6, 3), run)


def cnn():
    def run(w, x):
        x = x.permute(0, 3, 1, 2)
        for kernel, bias in ((w[0], w[1]), (w[2], w[3])):
            x = F.max_pool2d(F.relu(F.conv2d(x, kernel.permute(3, 2, 0, 1), bias)), 2)
        x = F.relu(F.linear(x.permute(0, 2, 3, 1).flatten(1), w[4].T, w[5]))
        return F.linear(x, w[6].T, w[7])

    layers = []
    for n in (4, 6):
        layers += [{"conv2d": n, "kernel_size": 3, "activation": "relu"}, {"max_pool": 2}]
    layers += ["flatten", {"dense": 8, "activation": "relu"}, {"dense": 3}]
    arrays = [((3, 3, 1, 4), 0, 0.5), ((4,), 0, 0.125), ((3, 3, 4, 6), 0, 0.25), ((6,), 0, 0.125)]
    return Network(layers, (14, 14, 1), arrays + dense(24, 8) + dense(8, 3), run)


def words_of(x):
    """Words, and how many each row has"""
    return x.long(), (x != 0).sum(axis=1)


def lstm():
    def run(w, x):
        words, lengths = words_of(x)
        packed = torch.nn.utils.rnn.pack_padded_sequence(
            F.embedding(words, w[0]), lengths, batch_first=True, enforce_sorted=False)
        state = [torch.zeros(1, len(x), 5, dtype=w[0].dtype)] * 2
        kernels = [w[1].T, w[2].T, w[3], torch.zeros_like(w[3])]
        _, h, _ = torch.lstm(packed.data, packed.batch_sizes, state, kernels, True, 1, 0.0, True,
                             False)
        return F.linear(h[0][packed.unsorted_indices], w[4].T, w[5])

    arrays = [((14, 3), 0, 0.5), ((3, 20), 0, 0.5), ((5, 20), 0, 0.5), ((20,), 0.5, 0.25)]
    return Network([{"embedding": 3, "input_dim": 14, "mask_zero": True}, {"lstm": 5},
                    {"dense": 3}], (9,), arrays + dense(5, 3), run, vocabulary=14, least=2)


def gru():
    def run(w, x):
        words, _ = words_of(x)
        layer = keras.layers.GRU(5, dtype=keras.backend.floatx())
        layer.build((None, 9, 3))
        layer.cell.kernel, layer.cell.recurrent_kernel, layer.cell.bias = w[1], w[2], w[3]
        return F.linear(layer(F.embedding(words, w[0]), mask=words != 0), w[4].T, w[5])

    arrays = [((14, 3), 0, 0.5), ((3, 15), 0, 0.5), ((5, 15), 0, 0.5), ((2, 15), 0, 0.25)]
    return Network([{"embedding": 3, "input_dim": 14, "mask_zero": True}, {"gru": 5},
                    {"dense": 3}], (9,), arrays + dense(5, 3), run, vocabulary=14, least=2)


def transformer():
    def norm(x, gamma, beta):
        return F.layer_norm(x, (8,), gamma, beta, 1e-3)

    def heads(x, kernel, bias):
        return (F.linear(x, kernel.flatten(1).T, bias.flatten())).unflatten(2, (2, 4)).transpose(1, 2)

    def run(w, x):
        x = F.embedding(words_of(x)[0], w[0]) + w[1]
        seen = F.scaled_dot_product_attention(*[heads(x, w[i], w[i + 1]) for i in (2, 4, 6)])
        seen = F.linear(seen.transpose(1, 2).flatten(2), w[8].flatten(0, 1).T, w[9])
        x = norm(x + seen, w[10], w[11])
        inner = F.gelu(F.linear(x, w[12].T, w[13]))
        x = norm(x + F.linear(inner, w[14].T, w[15]), w[16], w[17])
        return F.linear(x.mean(axis=1), w[18].T, w[19])

    layers = [{"embedding": 8, "input_dim": 10}, {"positional_embedding": True, "name": "words"},
              {"attention": 2, "key_dim": 4}, {"add": "words"}, {"layer_norm": 0.001, "name": "seen"},
              {"dense": 12, "activation": "gelu"}, {"dense": 8}, {"add": "seen"},
              {"layer_norm": 0.001}, {"global_pool": "average"}, {"dense": 3}]
    projection = [((8, 2, 4), 0, 0.5), ((2, 4), 0, 0.125)]
    arrays = [((10, 8), 0, 0.5), ((7, 8), 0, 0.5), *projection * 3, ((2, 4, 8), 0, 0.5),
              ((8,), 0, 0.125)]
    gains = [((8,), 1, 0.25), ((8,), 0, 0.125)]
    arrays += gains + dense(8, 12) + dense(12, 8) + gains + dense(8, 3)
    return Network(layers, (7,), arrays, run, vocabulary=10, least=7)


def make_update(kind, rate, weights, is_keras):
    """A function of gradients and the step's number"""
    if is_keras or kind not in IN_TORCH:
        optimizer = getattr(keras.optimizers, kind)(learning_rate=rate)
        optimizer.build(weights)
        return lambda gradients, step: optimizer.apply(gradients, weights)
    values = [w.value for w in weights]
    optimizer = getattr(torch.optim, kind)(values, lr=rate, **IN_TORCH[kind])

    def update(gradients, step):
        for w, g in zip(values, gradients):
            w.grad = g
        if kind in ("Adam", "AdamW"):
            optimizer.param_groups[0]["eps"] = 1e-7 / np.sqrt(1 - 0.999**step)
        optimizer.step()

    return update


def train(network, kind, rate, precision, is_keras=False, order=0):
    """The loss and gradients of the first step, and the weights after each of CHECKED"""
    keras.backend.set_floatx(precision)
    weights = [keras.Variable(w, dtype=precision) for w in network.weights()]
    update = make_update(kind, rate, weights, is_keras)
    inputs, classes = network.rows()
    rng = np.random.default_rng(order)
    after = []
    for step in range(1, CHECKED[-1] + 1):
        rows = (step - 1) % BATCHES * BATCH + rng.permutation(BATCH)
        values = [w.value for w in weights]
        output = network.run(values, torch.tensor(inputs[rows], dtype=getattr(torch, precision)))
        loss = F.cross_entropy(output, torch.tensor(classes[rows]))
        gradients = torch.autograd.grad(loss, values)
        if step == 1:
            first = [x.detach().numpy() for x in (loss, *gradients)]
        with torch.no_grad():
            update(gradients, step)
        if step in CHECKED:
            after.append([w.value.detach().numpy().astype(np.float64) for w in weights])
    return first, after


def distance(w, exact):
    return np.linalg.norm(w - exact) / np.linalg.norm(exact)


def write_numbers(file, arrays, digits):
    print(*[f"{x:.{digits}g}" for a in arrays for x in np.asarray(a).ravel()], file=file)


def costs(network, kind, rate):
    """For each of CHECKED and each array"""
    exact = train(network, kind, rate, "float64")[1]
    runs = [train(network, kind, rate, "float32", order=order)[1] for order in range(ORDERS)]
    return [[max(distance(run[i][a], w) for run in runs) for a, w in enumerate(arrays)]
            for i, arrays in enumerate(exact)]


def write_case(file, name, network, kind, rate):
    print("case", name, kind.lower(), rate, network.classes,
          network.vocabulary, network.least, len(network.shape), *network.shape,
          len(network.arrays), file=file)
    print(json.dumps(network.layers), file=file)
    for shape, offset, scale in network.arrays:
        print(int(np.prod(shape)), offset, scale, file=file)
    first, exact = train(network, kind, rate, "float64", is_keras=True)
    write_numbers(file, first, 9)
    for step, arrays, cost in zip(CHECKED, exact, costs(network, kind, rate)):
        print("step", step, file=file)
        write_numbers(file, arrays, 11)
        write_numbers(file, cost, 3)


def main():
    folder = os.path.dirname(os.path.abspath(__file__))
    some = {"SGD": 0.1, "Adam": 0.003}
    networks = {"mlp": (mlp, OPTIMISERS), "cnn": (cnn, some), "lstm": (lstm, OPTIMISERS),
                "gru": (gru, some), "transformer": (transformer, some)}
    for name in sys.argv[1:] or networks:
        make, optimisers = networks[name]
        with open(os.path.join(folder, f"training_{name}.txt"), "w") as file:
            print("# made by make_training.py with Keras", keras.__version__, "and torch",
                  torch.__version__, file=file)
            for kind, rate in optimisers.items():
                write_case(file, name, make(), kind, rate)


if __name__ == "__main__":
    main()
