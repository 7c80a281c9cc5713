"""Write metrics.txt: what scikit-learn says of labellings of many kinds.

    python3 test/golden/make_metrics.py > test/golden/metrics.txt

A case is a line "case NAME ROWS LABELS DENOMINATOR", the true labels (-1: one
the model does not know), the predicted ones, then, unless the denominator is
0, a line of numerators for every row: probability = numerator / denominator.
After that a line for every metric, in full precision, and the confusion matrix,
whose last row is of the unknown label.

The expected calibration error is not in scikit-learn; its definition (Guo et
al., 2017) is written out below.
"""

import math
import sys
import warnings

import numpy as np
import sklearn
from sklearn import metrics

warnings.simplefilter("ignore")

UNKNOWN = -1
N_BINS = 15
PRF = ("precision", "recall", "f1")


def random_probabilities(rng, truth, n_labels, denominator, skill):
    """Whole numbers that sum to denominator, the true label's raised."""
    weight = rng.exponential(size=(len(truth), n_labels))
    known = truth != UNKNOWN
    weight[known, truth[known]] += skill
    share = weight / weight.sum(axis=1, keepdims=True)
    numerators = np.floor(share * denominator).astype(int)
    best = numerators.argmax(axis=1)
    numerators[np.arange(len(truth)), best] += denominator - numerators.sum(axis=1)
    return numerators


def calibration_error(truth, predicted, probability):
    confidence = probability[np.arange(len(truth)), predicted]
    right = (truth == predicted).astype(float)
    bins = np.clip(np.ceil(confidence * N_BINS) - 1, 0, N_BINS - 1)
    gaps = [
        abs(math.fsum(np.concatenate([confidence[bins == m], -right[bins == m]])))
        for m in range(N_BINS)
    ]
    return math.fsum(gaps) / len(truth)


def log_loss(truth, probability, n_labels):
    """An unknown label comes as one more column, of zeros."""
    labels = list(range(n_labels))
    if UNKNOWN in truth:
        labels.insert(0, UNKNOWN)
        probability = np.column_stack([np.zeros(len(truth)), probability])
    if len(labels) == 1:
        return math.nan
    return metrics.log_loss(truth, probability, labels=labels)


def roc_auc(truth, probability, n_labels):
    """Of the rows with a known label"""
    known = truth != UNKNOWN
    truth, probability = truth[known], probability[known]
    if n_labels == 1 or len(np.unique(truth)) < n_labels:
        return math.nan
    if n_labels == 2:
        return metrics.roc_auc_score(truth, probability[:, 1])
    return metrics.roc_auc_score(
        truth, probability, multi_class="ovr", average="macro", labels=range(n_labels)
    )


def write_case(name, truth, n_labels, numerators=None, denominator=0, predicted=None):
    truth = np.asarray(truth)
    if predicted is None:
        predicted = np.asarray(numerators).argmax(axis=1)
    predicted = np.asarray(predicted)
    print("case", name, len(truth), n_labels, denominator)
    print(*truth)
    print(*predicted)
    if denominator:
        for row in numerators:
            print(*[repr(x) for x in np.asarray(row).tolist()])

    values = {
        "accuracy": metrics.accuracy_score(truth, predicted),
        "balanced_accuracy": metrics.balanced_accuracy_score(truth, predicted),
    }
    for average in ("macro", "micro", "weighted"):
        prf = metrics.precision_recall_fscore_support(truth, predicted, average=average)
        for kind, value in zip(PRF, prf):
            values[f"{average}_{kind}"] = value
    values["matthews"] = metrics.matthews_corrcoef(truth, predicted)
    if denominator:
        probability = np.asarray(numerators) / denominator
        values["log_loss"] = log_loss(truth, probability, n_labels)
        values["roc_auc"] = roc_auc(truth, probability, n_labels)
        values["calibration_error"] = calibration_error(truth, predicted, probability)
    else:
        values.update(log_loss=math.nan, roc_auc=math.nan, calibration_error=math.nan)
    for key, value in values.items():
        print(key, repr(float(value)))

    confusion = metrics.confusion_matrix(
        truth, predicted, labels=[*range(n_labels), UNKNOWN]
    )
    for row in confusion[:, :n_labels]:
        print(*row)


def write_random_cases(rng):
    """Names say what is peculiar; denominators of 8 and 16 make many ties."""
    for name, n_labels, n_rows, denominator, skill, prior in (
        ("binary", 2, 200, 4096, 1.0, None),
        ("binary_ties", 2, 200, 8, 1.0, None),
        ("binary_skewed", 2, 300, 1024, 2.0, [0.97, 0.03]),
        ("binary_no_skill", 2, 150, 1000, 0.0, None),
        ("three", 3, 200, 1024, 1.0, None),
        ("three_ties", 3, 150, 16, 1.0, None),
        ("three_skewed", 3, 300, 1000, 1.5, [0.9, 0.07, 0.03]),
        ("seven", 7, 250, 1024, 3.0, None),
        ("fifty", 50, 300, 512, 4.0, None),
        ("fifty_absent_from_truth", 50, 60, 512, 4.0, None),
    ):
        truth = rng.choice(n_labels, size=n_rows, p=prior)
        if name == "fifty":
            truth[:n_labels] = np.arange(n_labels)
        numerators = random_probabilities(rng, truth, n_labels, denominator, skill)
        write_case(name, truth, n_labels, numerators, denominator)


def write_special_cases(rng):
    truth = rng.integers(0, 4, size=80)
    full = rng.dirichlet(np.ones(4), size=80)
    write_case("full_precision", truth, 4, full, 1)
    write_case("perfect", [0, 1, 2, 2, 1], 3, np.eye(3, dtype=int)[[0, 1, 2, 2, 1]], 1)
    write_case("all_wrong", [0, 1, 2, 2], 3, np.eye(3, dtype=int)[[1, 2, 0, 1]], 1)
    write_case("all_wrong_binary", [0, 1, 1], 2, [[0, 1], [1, 0], [1, 0]], 1)
    write_case("one_row", [1], 2, [[1, 3]], 4)
    write_case("one_row_wrong", [0], 3, [[1, 3, 4]], 8)
    write_case("one_truth", [1, 1, 1, 1], 2, [[1, 3], [3, 1], [2, 2], [0, 4]], 4)
    write_case("one_prediction", [0, 1, 2, 1], 3, predicted=[1, 1, 1, 1])
    write_case("not_predicted", [0, 0, 1, 2, 2, 2], 3, predicted=[0, 1, 1, 0, 1, 1])
    write_case("not_in_truth", [0, 0, 1, 1, 1], 4, predicted=[0, 3, 1, 2, 3])
    write_case("equal_scores", [0, 1, 0, 1, 1], 2, [[1, 1]] * 5, 2)
    write_case("one_label", [0, 0, 0], 1, predicted=[0, 0, 0])
    write_case("labels_only", rng.integers(0, 5, 100), 5, predicted=rng.integers(0, 5, 100))

    truth = rng.choice([UNKNOWN, 0, 1, 2], size=120, p=[0.1, 0.3, 0.3, 0.3])
    numerators = random_probabilities(rng, truth, 3, 1024, 1.0)
    write_case("unknown_three", truth, 3, numerators, 1024)
    truth = np.array([UNKNOWN, 0, 1, 1, UNKNOWN, 0, 1])
    write_case("unknown_binary", truth, 2, random_probabilities(rng, truth, 2, 64, 1.0), 64)
    write_case("unknown_only", [UNKNOWN, UNKNOWN], 2, [[1, 3], [3, 1]], 4)


def main():
    rng = np.random.default_rng(20240501)
    print("# made by make_metrics.py with scikit-learn", sklearn.__version__)
    write_random_cases(rng)
    write_special_cases(rng)


if __name__ == "__main__":
    sys.exit(main())
