"""Write optimisers.txt: what Keras 3's optimisers make of weights.

    KERAS_BACKEND=torch python3 test/golden/make_optimisers.py > test/golden/optimisers.txt

First "problem A B STEPS": weights in an array of A numbers and one of B, and the gradients
of STEPS steps.  A case is a line "case NAME KIND" with one number for each of OPTIONS, "-"
where Keras has no such option, then l1 and l2, which are of the first array.  NAME "default"
has Keras's defaults.  Then for each of CHECKED steps "step NUMBER" with the weights after it,
as Keras computes them in float64, and again in float32: the distance between the two is
what float costs.
"""

import sys

import keras
import numpy as np
import torch

A, B, STEPS = (4, 3), (5,), 20
CHECKED = (1, 2, 5, 20)
OPTIONS = ("learning_rate", "momentum", "nesterov", "rho", "centered", "beta_1", "beta_2",
           "epsilon", "weight_decay", "initial_accumulator_value", "clipnorm", "clipvalue",
           "global_clipnorm")


def make_problem(rng):
    weights = [rng.normal(size=shape) for shape in (A, B)]
    weights[0][0, 0] = 0
    gradients = []
    for step in range(STEPS):
        size = rng.choice([0.01, 0.5, 3.0])
        both = [rng.normal(size=shape) * size for shape in (A, B)]
        both[0][1, 1] = 0
        if step % 3 != 1:
            both[0][2] = 0
        if step == 4:
            both[1][:] = 0
        gradients.append(both)
    return [w.astype(np.float32) for w in weights], [
        [g.astype(np.float32) for g in both] for both in gradients
    ]


def run(kind, options, penalty, problem, precision):
    """The weights after each of CHECKED, and the optimiser's configuration."""
    keras.backend.set_floatx(precision)
    optimizer = getattr(keras.optimizers, kind)(**options)
    weights = [keras.Variable(w, dtype=precision) for w in problem[0]]
    optimizer.build(weights)
    after = []
    for step, both in enumerate(problem[1], start=1):
        g = [torch.tensor(x, dtype=getattr(torch, precision)) for x in both]
        w = weights[0].value.detach()
        g[0] = g[0] + penalty[0] * torch.sign(w) + 2 * penalty[1] * w
        optimizer.apply(g, weights)
        if step in CHECKED:
            after.append(np.concatenate([keras.ops.convert_to_numpy(w).ravel() for w in weights]))
    return after, optimizer.get_config()


def text(number):
    if isinstance(number, np.float32):
        return str(number)
    return "-" if number is None else repr(float(number))


def write_numbers(numbers):
    print(*[text(x) for x in np.asarray(numbers).ravel()])


def write_case(problem, name, kind, penalty=(0, 0), **options):
    exact, _ = run(kind, options, penalty, problem, "float64")
    single, config = run(kind, options, penalty, problem, "float32")
    values = [options.get(key, config.get(key)) for key in OPTIONS]
    values[0] = options.get("learning_rate", 0.01 if kind == "SGD" else 0.001)
    assert np.float32(values[0]) == np.float32(config["learning_rate"])
    print("case", name, kind.lower(), *[text(x) for x in values], *[text(x) for x in penalty])
    for step, w64, w32 in zip(CHECKED, exact, single):
        print("step", step)
        write_numbers(w64)
        write_numbers(w32)


def write_common(problem, kind):
    write_case(problem, "default", kind)
    write_case(problem, "rate", kind, learning_rate=0.05)
    write_case(problem, "decay", kind, learning_rate=0.05, weight_decay=0.1)
    write_case(problem, "penalties", kind, learning_rate=0.02, penalty=(0.01, 0.02))
    write_case(problem, "all", kind, learning_rate=0.02, penalty=(0.01, 0.02), weight_decay=0.05,
               clipnorm=0.5)


def main():
    problem = make_problem(np.random.default_rng(20250302))
    print("# made by make_optimisers.py with Keras", keras.__version__, "and torch",
          torch.__version__)
    print("problem", int(np.prod(A)), int(np.prod(B)), STEPS)
    for numbers in (problem[0], *problem[1]):
        write_numbers(np.concatenate([x.ravel() for x in numbers]))
    for kind in ("SGD", "RMSprop", "Adagrad", "Adadelta", "Adam", "AdamW", "Adamax", "Nadam",
                 "Lion"):
        write_common(problem, kind)
    write_case(problem, "momentum", "SGD", momentum=0.9)
    write_case(problem, "nesterov", "SGD", momentum=0.9, nesterov=True, weight_decay=0.01)
    write_case(problem, "momentum", "RMSprop", momentum=0.8)
    write_case(problem, "centered", "RMSprop", centered=True, rho=0.8, epsilon=1e-3)
    write_case(problem, "both", "RMSprop", centered=True, momentum=0.5, epsilon=1e-3)
    write_case(problem, "accumulator", "Adagrad", initial_accumulator_value=0.5, epsilon=1e-4)
    write_case(problem, "rho", "Adadelta", rho=0.7, epsilon=1e-3, learning_rate=1.0)
    for kind in ("SGD", "Adam"):
        write_case(problem, "clip_norm", kind, learning_rate=0.02, clipnorm=0.75)
        write_case(problem, "clip_value", kind, learning_rate=0.02, clipvalue=0.25)
        write_case(problem, "clip_global", kind, learning_rate=0.02, global_clipnorm=0.75)
    for kind in ("Adam", "AdamW", "Adamax", "Nadam"):
        write_case(problem, "betas", kind, beta_1=0.7, beta_2=0.95, epsilon=1e-4)
    write_case(problem, "betas", "Lion", beta_1=0.7, beta_2=0.9)


if __name__ == "__main__":
    sys.exit(main())
