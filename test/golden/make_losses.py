"""Write losses.txt: values and gradients of losses as Keras 3 has them.

    KERAS_BACKEND=torch python3 test/golden/make_losses.py > test/golden/losses.txt

A case is a line "case NAME LOSS PLACES OUTPUTS FROM_LOGITS DELTA SMOOTHING TARGETS WEIGHTS
PRECISION"; then outputs, targets (TARGETS of each place), weights of places if WEIGHTS is
1, the sum over places of weight times loss, and its gradient by the outputs.  All that
goes in, float holds exactly.  PRECISION says in which type Keras computed: float64 where
float32 would show its own rounding, float32 where Keras clips, which depends on the type.
"""

import sys

import keras
import numpy as np
import torch
from keras import losses


def keras_loss(kind, target, output, from_logits, delta, smoothing):
    n = output.shape[-1]
    if kind == "huber":
        return losses.huber(target, output, delta=delta)
    if kind == "binary_crossentropy":
        return losses.binary_crossentropy(target, output, from_logits, smoothing)
    if kind == "categorical_crossentropy":
        return losses.categorical_crossentropy(target, output, from_logits, smoothing)
    if kind == "sparse_categorical_crossentropy":
        if not smoothing:
            return losses.sparse_categorical_crossentropy(target[:, 0], output, from_logits)
        one_hot = torch.nn.functional.one_hot(target[:, 0].long(), n).to(output.dtype)
        return losses.categorical_crossentropy(one_hot, output, from_logits, smoothing)
    if kind == "hinge" and (target == -1).any():
        assert ((target == -1) | (target == 1)).all()
    return getattr(losses, kind)(target, output)


def write_case(name, kind, output, target, weight=None, from_logits=False, delta=1.0,
               smoothing=0.0, precision="float64"):
    dtype = getattr(torch, precision)
    keras.backend.set_floatx(precision)
    output = np.asarray(output, dtype=np.float32)
    target = np.asarray(target, dtype=np.float32).reshape(len(output), -1)
    y = torch.tensor(output, dtype=dtype, requires_grad=True)
    loss = keras_loss(kind, torch.tensor(target, dtype=dtype), y, from_logits, delta, smoothing)
    assert loss.shape == (len(output),)
    if weight is not None:
        weight = np.asarray(weight, dtype=np.float32)
        loss = loss * torch.tensor(weight, dtype=dtype)
    value = loss.sum()
    value.backward()

    print("case", name, kind, *output.shape, int(from_logits), delta, smoothing, target.shape[1],
          int(weight is not None), precision)
    for numbers in (output, target, weight, [value.item()], y.grad.numpy()):
        if numbers is not None:
            print(*[repr(float(x)) for x in np.asarray(numbers).ravel()])


def softmax(x):
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def write_regression(rng):
    y = rng.normal(size=(6, 3)) * 2
    t = rng.normal(size=(6, 3))
    t[2, 1] = np.float32(y[2, 1])
    w = [0.5, 1, 0, 2, 1.25, 3]
    for kind in ("mean_squared_error", "mean_absolute_error", "huber"):
        write_case("plain", kind, y, t)
        write_case("weights", kind, y, t, w)
        write_case("one", kind, y[:, :1], t[:, :1])
    write_case("delta", "huber", y, t, w, delta=0.3)
    write_case("at_delta", "huber", [[1.5, -0.5, 0.5]], [[1.0, 0.0, 0.0]], delta=0.5)
    rate = rng.exponential(size=(6, 2))
    count = rng.poisson(rate * 2)
    write_case("plain", "poisson", rate, count)
    write_case("weights", "poisson", rate, count, w)
    write_case("zero", "poisson", [[0.0, 0.0]], [[0, 1]], precision="float32")
    write_case("signs", "hinge", y, np.where(t > 0, 1, -1))
    write_case("zeros", "hinge", y, t > 0, w)
    write_case("corner", "hinge", [[1.0, -1.0, 1.0, -1.0]], [[1, -1, -1, 1]])


def write_binary(rng):
    kind = "binary_crossentropy"
    x = rng.normal(size=(6, 3)) * 3
    t = (rng.normal(size=(6, 3)) > 0).astype(float)
    soft = rng.uniform(size=(6, 3))
    w = [0.5, 1, 0, 2, 1.25, 3]
    p = 1 / (1 + np.exp(-x))
    for name, y, logits in (("logits", x, True), ("probabilities", p, False)):
        write_case(name, kind, y, t, from_logits=logits)
        write_case(name + "_one", kind, y[:, :1], t[:, :1], w, from_logits=logits)
        write_case(name + "_soft", kind, y, soft, w, from_logits=logits)
        write_case(name + "_smooth", kind, y, t, from_logits=logits, smoothing=0.2)
    far = [[0.0, 15.0, -15.0, 30.0, -30.0, 500.0, -500.0]] * 2
    write_case("logits_far", kind, far, [[1] * 7, [0] * 7], from_logits=True)
    edge = [[0.0, 1.0, 1e-8, 1e-7, 2e-7, 0.9999999, 0.9999998]] * 2
    write_case("clipped", kind, edge, [[1] * 7, [0] * 7], precision="float32")


def write_categorical(rng):
    w = [0.5, 1, 0, 2, 1.25, 3]
    for n in (2, 5, 23):
        x = rng.normal(size=(6, n)) * 3
        t = rng.dirichlet(np.ones(n), size=6)
        k = rng.integers(0, n, size=6)
        p = softmax(x) * (1 + 0.1 * rng.uniform(size=(6, 1)))
        for name, y, logits in (("logits", x, True), ("probabilities", p, False)):
            name = f"{name}_{n}"
            for kind, target in (("categorical_crossentropy", t),
                                 ("sparse_categorical_crossentropy", k)):
                write_case(name, kind, y, target, from_logits=logits)
                write_case(name + "_weights", kind, y, target, w, from_logits=logits)
                write_case(name + "_smooth", kind, y, target, from_logits=logits, smoothing=0.1)
    far = [[0.0, 40.0, -40.0], [1000.0, 0.0, -1000.0], [88.0, 89.0, 90.0]]
    kind = "sparse_categorical_crossentropy"
    for k in range(3):
        write_case(f"far_{k}", kind, far, [k] * 3, from_logits=True)
    edge = [[1.0, 0.0, 0.0], [1.0, 1e-8, 2e-7], [0.5, 0.5, 0.0]]
    for k in range(3):
        write_case(f"clipped_{k}", kind, edge, [k] * 3, precision="float32")
    write_case("clipped", "categorical_crossentropy", edge, np.full((3, 3), 0.25),
               precision="float32")


def main():
    rng = np.random.default_rng(20250301)
    print("# made by make_losses.py with Keras", keras.__version__, "and torch", torch.__version__)
    write_regression(rng)
    write_binary(rng)
    write_categorical(rng)


if __name__ == "__main__":
    sys.exit(main())
