"""Write regress_metrics.txt: what scikit-learn says of numbers and of sets of labels.

	python3 make_regress_metrics.py > regress_metrics.txt

A case of numbers is "values NAME rows width", then truth and prediction, row by row, as
whole numbers of 1/64, and the six metrics of AiValueMetrics in the order of its members.
A case of labels is "labels NAME rows labels", then truth (0 or 1) and probabilities as
whole percents, and the eight metrics of AiLabelsMetrics.
"""
import warnings

import numpy as np
import sklearn
from sklearn import metrics

warnings.simplefilter("ignore")


def put(numbers):
    print(*[int(x) for x in np.asarray(numbers).reshape(-1)])


def put_values(name, truth, predicted):
    truth = np.asarray(truth).reshape(len(truth), -1)
    predicted = np.asarray(predicted).reshape(len(truth), -1)
    print("values", name, *truth.shape)
    put(truth)
    put(predicted)
    t = truth / 64
    p = predicted / 64
    print(*[repr(float(m(t, p))) for m in (
        metrics.r2_score, metrics.mean_absolute_error, metrics.mean_squared_error,
        metrics.root_mean_squared_error, metrics.median_absolute_error,
        metrics.explained_variance_score)])


def put_labels(name, truth, percent):
    print("labels", name, *truth.shape)
    put(truth)
    put(percent)
    predicted = percent >= 50
    values = [metrics.accuracy_score(truth, predicted), 1 - metrics.hamming_loss(truth, predicted)]
    for average in ("macro", "micro"):
        values += metrics.precision_recall_fscore_support(
            truth, predicted, average=average, zero_division=0)[:3]
    print(*[repr(float(v)) for v in values])


def main():
    rng = np.random.default_rng(6)
    print("# made by make_regress_metrics.py with scikit-learn", sklearn.__version__)
    for n in (1, 2, 3, 10, 101):
        truth = rng.integers(-6400, 6400, n)
        put_values(f"one_{n}", truth, truth + rng.integers(-640, 640, n))
    truth = rng.integers(-6400, 6400, (50, 3))
    put_values("three_outputs", truth, truth + rng.integers(-3000, 900, (50, 3)))
    put_values("right", truth, truth)
    put_values("constant", np.full(20, 77), np.full(20, 77))
    put_values("constant_wrong", np.full(20, 77), rng.integers(0, 100, 20))
    truth = rng.integers(-64, 64, 40) + 10**7
    put_values("far", truth, truth + rng.integers(-64, 64, 40))
    for n, k in ((1, 1), (7, 3), (60, 5), (100, 20)):
        truth = rng.integers(0, 2, (n, k))
        put_labels(f"random_{n}_{k}", truth, np.clip(truth * 60 + rng.integers(0, 70, (n, k)), 0, 99))
    empty = np.zeros((10, 4), int)
    put_labels("nothing", empty, empty)
    put_labels("never_true", empty, rng.integers(0, 100, (10, 4)))


main()
