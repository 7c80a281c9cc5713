"""Write schedules.txt: learning rates of Keras 3's schedules, and what its callbacks do.

    KERAS_BACKEND=torch python3 test/golden/make_schedules.py > test/golden/schedules.txt

"rates KIND BASE LENGTH FACTOR ALPHA WARMUP TARGET BOUNDARIES STEPS", for a schedule counted
in steps; then its boundaries, the rates between them, and for each of STEPS steps its number
and rate.  Keras computes them in float32.

"run MODE PATIENCE MIN_DELTA PLATEAU_PATIENCE PLATEAU_MIN_DELTA FACTOR MIN_RATE COOLDOWN RATE
EPOCHS" for EarlyStopping and ReduceLROnPlateau together; then for each epoch what is
watched, whether it is the best, whether training stops, and the rate after it.
"""

import sys
from types import SimpleNamespace

import keras
import numpy as np
from keras.callbacks import EarlyStopping, ReduceLROnPlateau
from keras.optimizers import schedules

STEPS = (0, 1, 5, 9, 10, 11, 19, 20, 21, 50, 99, 100, 101, 119, 120, 121, 200, 1000)


def write_rates(kind, schedule, base=0.0, length=0, factor=0.0, alpha=0.0, warmup=0, target=0.0,
                boundaries=(), rates=(0.0,)):
    print("rates", kind, base, length, factor, alpha, warmup, target, len(boundaries), len(STEPS))
    print(*boundaries)
    print(*rates)
    for step in STEPS:
        print(step, repr(float(keras.ops.convert_to_numpy(schedule(step)))))


def write_schedules():
    for base, length, factor in ((0.1, 10, 0.5), (0.001, 100, 0.96), (1.0, 7, 0.9)):
        for kind, staircase in (("step", True), ("exponential", False)):
            schedule = schedules.ExponentialDecay(base, length, factor, staircase)
            write_rates(kind, schedule, base, length, factor)
    for base, length, alpha in ((0.1, 100, 0.0), (0.01, 20, 0.1)):
        schedule = schedules.CosineDecay(base, length, alpha)
        write_rates("cosine", schedule, base, length, alpha=alpha)
        for warmup, target in ((20, 0.5), (0, 0.2), (1, 0.02)):
            schedule = schedules.CosineDecay(base, length, alpha, warmup_target=target,
                                             warmup_steps=warmup)
            write_rates("cosine", schedule, base, length, alpha=alpha, warmup=warmup,
                        target=target)
    for boundaries, rates in (([10], [0.1, 0.01]), ([1, 20, 100], [1.0, 0.5, 0.25, 0.125])):
        schedule = schedules.PiecewiseConstantDecay(boundaries, rates)
        write_rates("piecewise", schedule, boundaries=boundaries, rates=rates)


class Model:
    """As much of one as the callbacks ask for."""

    def __init__(self, rate):
        self.optimizer = SimpleNamespace(learning_rate=np.float64(rate))
        self.stop_training = False
        self.weights = None

    def get_weights(self):
        return self.epoch


def write_run(watched, mode, patience, min_delta=0.0, plateau_patience=2, plateau_min_delta=1e-4,
              factor=0.5, min_rate=0.0, cooldown=0, rate=0.1):
    model = Model(rate)
    stop = EarlyStopping("x", min_delta=min_delta, patience=patience, mode=mode,
                         restore_best_weights=True)
    plateau = ReduceLROnPlateau("x", factor=factor, patience=plateau_patience, mode=mode,
                                min_delta=plateau_min_delta, cooldown=cooldown, min_lr=min_rate)
    for callback in (stop, plateau):
        callback.set_model(model)
        callback.on_train_begin()
    print("run", mode, patience, min_delta, plateau_patience, plateau_min_delta, factor, min_rate,
          cooldown, rate, len(watched))
    for epoch, value in enumerate(watched):
        model.epoch = epoch
        model.stop_training = False
        for callback in (stop, plateau):
            callback.on_epoch_end(epoch, {"x": float(value)})
        print(repr(float(value)), int(stop.best_epoch == epoch), int(model.stop_training),
              repr(float(model.optimizer.learning_rate)))


def write_runs(rng):
    falling = np.round(np.exp(-0.2 * np.arange(30)) + 0.05 * rng.normal(size=30), 3)
    flat = np.repeat([1.0, 0.9, 0.8995, 0.8, 0.8, 0.8001], 5)
    for watched, mode in ((falling, "min"), (flat, "min"), (1 - falling, "max"), (1 - flat, "max")):
        write_run(watched, mode, 1)
        write_run(watched, mode, 3, plateau_patience=1, factor=0.1, min_rate=0.002)
        write_run(watched, mode, 4, min_delta=0.01, plateau_patience=3, cooldown=2)
        write_run(watched, mode, 5, min_delta=0.05, plateau_patience=2, plateau_min_delta=0.02,
                  cooldown=1, min_rate=0.03)


def main():
    print("# made by make_schedules.py with Keras", keras.__version__)
    write_schedules()
    write_runs(np.random.default_rng(20250303))


if __name__ == "__main__":
    sys.exit(main())
