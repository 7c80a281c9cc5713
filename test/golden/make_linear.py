#!/usr/bin/env python3
"""Write linear_*.txt: sparse problems and the optima of linear models on them.

Every optimum is scikit-learn's, brought by Newton steps to where the gradient
is nothing but rounding.  The penalty makes the objective strongly convex with
constant 1, so the length of the gradient bounds the distance to the optimum;
the script fails when scikit-learn's own answer is not that optimum.

Needs numpy, scipy and scikit-learn; run it in this folder.
"""

import warnings

import numpy as np
import scipy.sparse
import sklearn
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC

STRENGTHS = (0.1, 1.0, 10.0, 100.0)

HEAD = """\
# Optima of linear models on a sparse problem, for the unit tests of the core.
# Written by make_linear.py with scikit-learn {version}.
#
# Objective, for one vector w whose first component is the intercept, penalised
# like the others, x with a leading 1, and weight[c] the weight of class c:
#     1/2 |w|^2 + C * sum over rows of weight[class] * loss
#   squared_hinge  max(0, 1 - y (w . x))^2            y = +1 or -1
#   logistic       log(1 + exp(-y (w . x)))
#   multinomial    log(sum over k of exp(w[k] . x)) - w[class] . x, penalty over all w[k]
# Two classes have one vector, y = +1 for class 1.  With more, squared_hinge and
# logistic have one per class, each against the rest and each an optimum of its own;
# the weight of a row is still that of its own class.
#
# Everything below is read by white space:
#     rows N features F classes K
#     class_weight  K numbers
#     row class n   then n pairs index:value, indexes from 0 and rising,
#                   values that float holds exactly; N such lines
#     solution loss C objective G gradient A
#                   objective summed over the vectors; A: length of the gradient
#     w intercept   then F numbers; one such line per vector
"""


def problem(seed, n_rows, n_features, n_classes, class_weight):
    """Rows like TF-IDF's: few rising features, positive, of length 1; one is empty."""
    rng = np.random.default_rng(seed)
    popularity = 1.0 / np.arange(3, n_features + 3)
    popularity /= popularity.sum()
    true = rng.normal(size=(n_features, n_classes))
    matrix = np.zeros((n_rows, n_features), dtype=np.float32)
    for i in range(1, n_rows):
        n = rng.integers(4, 25)
        chosen = rng.choice(n_features, size=n, replace=False, p=popularity)
        values = (1.0 + np.log(rng.geometric(0.6, size=n))) * -np.log(popularity[chosen])
        matrix[i, chosen] = values / np.linalg.norm(values)
    scores = 4.0 * matrix @ true + rng.gumbel(size=(n_rows, n_classes))
    scores[:, 0] += 1.0
    return matrix, scores.argmax(axis=1), np.array(class_weight, dtype=float)


def squared_hinge(w, x, y, strength):
    margin = np.maximum(0.0, 1.0 - y * (x @ w))
    active = margin > 0.0
    value = 0.5 * w @ w + np.sum(strength * margin ** 2)
    gradient = w - 2.0 * x.T @ (strength * y * margin)
    hessian = np.eye(len(w)) + 2.0 * (x.T * (strength * active)) @ x
    return value, gradient, hessian


def logistic(w, x, y, strength):
    margin = y * (x @ w)
    p = 1.0 / (1.0 + np.exp(margin))
    value = 0.5 * w @ w + np.sum(strength * np.logaddexp(0.0, -margin))
    gradient = w - x.T @ (strength * y * p)
    hessian = np.eye(len(w)) + (x.T * (strength * p * (1.0 - p))) @ x
    return value, gradient, hessian


def multinomial(w, x, classes, strength):
    n_classes = len(w) // x.shape[1]
    score = x @ w.reshape(n_classes, -1).T
    log_sum = np.logaddexp.reduce(score, axis=1)
    p = np.exp(score - log_sum[:, None])
    is_class = np.eye(n_classes)[classes]
    value = 0.5 * w @ w + np.sum(strength * (log_sum - (score * is_class).sum(axis=1)))
    gradient = w + ((p - is_class).T * strength @ x).ravel()
    blocks = [[(x.T * (strength * p[:, a] * ((a == b) - p[:, b]))) @ x
               for b in range(n_classes)] for a in range(n_classes)]
    return value, gradient, np.eye(len(w)) + np.block(blocks)


def optimum(objective, start, *args):
    """Newton's method with halved steps, until rounding stops it."""
    w = start
    value, gradient, hessian = objective(w, *args)
    while True:
        step = np.linalg.solve(hessian, gradient)
        scale = 1.0
        while scale > 1e-3:
            new = objective(w - scale * step, *args)
            if np.linalg.norm(new[1]) < np.linalg.norm(gradient):
                break
            scale /= 2.0
        else:
            return w, value, np.linalg.norm(gradient)
        w = w - scale * step
        value, gradient, hessian = new


def fitted(loss, x, y, strength, row_weight):
    """scikit-learn's coefficients; x has the column of ones, the intercept's."""
    if loss == "squared_hinge":
        model = LinearSVC(loss="squared_hinge", dual=True, C=strength, tol=1e-8,
                          max_iter=1000000, fit_intercept=True, intercept_scaling=1)
        model.fit(x[:, 1:], y, sample_weight=row_weight)
        return np.hstack([model.intercept_[:, None], model.coef_])
    model = LogisticRegression(C=strength, solver="newton-cg", tol=1e-10,
                               max_iter=100000, fit_intercept=False)
    return model.fit(x, y, sample_weight=row_weight).coef_


def solve(loss, matrix, classes, class_weight, strength):
    """(vectors, objective, length of the gradient)"""
    x = np.hstack([np.ones((len(classes), 1)), matrix.astype(np.float64)])
    sparse = scipy.sparse.csr_matrix(x)
    row_weight = class_weight[classes]
    n_classes = len(class_weight)
    if loss == "multinomial":
        start = fitted(loss, sparse, classes, strength, row_weight)
        w, value, gradient = optimum(multinomial, start.ravel(), x, classes,
                                     strength * row_weight)
        vectors = w.reshape(n_classes, -1)
        starts = start
    else:
        objective = {"squared_hinge": squared_hinge, "logistic": logistic}[loss]
        positives = [1] if n_classes == 2 else range(n_classes)
        vectors, starts, value, gradient = [], [], 0.0, 0.0
        for positive in positives:
            y = np.where(classes == positive, 1.0, -1.0)
            start = fitted(loss, sparse, y, strength, row_weight)[0]
            w, one_value, one_gradient = optimum(objective, start, x, y,
                                                 strength * row_weight)
            vectors.append(w)
            starts.append(start)
            value += one_value
            gradient = max(gradient, one_gradient)
    off = np.abs(np.array(vectors) - np.array(starts)).max()
    assert gradient < 1e-10, (loss, strength, gradient)
    assert off < 1e-5, (loss, strength, off)
    return vectors, value, gradient


def write(name, losses, matrix, classes, class_weight):
    with open(f"linear_{name}.txt", "w") as file:
        file.write(HEAD.format(version=sklearn.__version__))
        file.write(f"rows {len(matrix)} features {matrix.shape[1]} "
                   f"classes {len(class_weight)}\n")
        file.write("class_weight " + " ".join("%.17g" % c for c in class_weight) + "\n")
        for row, label in zip(matrix, classes):
            used = np.flatnonzero(row)
            pairs = "".join(f" {i}:{row[i].item():.9g}" for i in used)
            file.write(f"row {label} {len(used)}{pairs}\n")
        for loss in losses:
            for strength in STRENGTHS:
                vectors, value, gradient = solve(loss, matrix, classes, class_weight,
                                                 strength)
                file.write(f"solution {loss} {strength:g} objective {value:.17g} "
                           f"gradient {gradient:.1e}\n")
                for w in vectors:
                    file.write("w " + " ".join("%.17g" % c for c in w) + "\n")


def main():
    warnings.simplefilter("error")
    pair = ("squared_hinge", "logistic")
    write("two", pair, *problem(1, 200, 300, 2, [1.0, 1.0]))
    write("weighted", pair, *problem(2, 200, 100, 2, [0.625, 2.5]))
    write("three", (*pair, "multinomial"), *problem(3, 150, 80, 3, [1.0, 1.0, 1.0]))


if __name__ == "__main__":
    main()
