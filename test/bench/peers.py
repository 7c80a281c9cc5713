#!/usr/bin/env python3
"""What scikit-learn and fastText reach on the sets of data.py, one thread each.

Every result is of one peer on one split: quality on the test rows, seconds
from texts in memory to a fitted model, rows per second from texts in memory to
labels, bytes of the saved model.  Where the clock on the wall may have measured
others on the machine too, the same figures in CPU time stand beside it.

Results go to a JSON file after every fit; those already in it are kept, so an
interrupted run can be taken up again.
"""

import argparse
import importlib.metadata
import json
import os
import pickle
import platform
import random
import sys
import tempfile
import time

# One thread, and the OpenBLAS kernels that the CPU deserves: before numpy.
for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"
for name in list(os.environ):
    if name in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE") or name.startswith("NVPL_"):
        del os.environ[name]

import fasttext
import numpy as np
import scipy
import sklearn
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, f1_score
from sklearn.pipeline import FeatureUnion
from sklearn.svm import LinearSVC
from threadpoolctl import threadpool_info

import data

SKLEARN = {
    "sklearn svm": lambda: LinearSVC(),
    "sklearn logistic": lambda: LogisticRegression(max_iter=10000),
}

# The default learning rate, 0.1, leaves character n-grams far from learnt on
# sets of a few thousand texts; 1.0 is what fastText's own tutorial arrives at.
FASTTEXT_CHARS = {"wordNgrams": 2, "maxn": 5}
FASTTEXT = {
    "fasttext words": {},
    "fasttext chars 2-5": {**FASTTEXT_CHARS, "minn": 2},
    "fasttext chars 3-5": {**FASTTEXT_CHARS, "minn": 3},
    "fasttext chars 2-5 lr 1": {**FASTTEXT_CHARS, "minn": 2, "lr": 1.0},
}

PEERS = (*FASTTEXT, *SKLEARN)
FASTTEXT_LABEL = "__label__"

# Classifying is timed so often and the best run counts, as for aiaas: what else
# runs on the machine may slow one run of two.
N_CLASSIFY_RUNS = 5
N_SLOW_CLASSIFY_RUNS = 2


class Clock:
    """Seconds of a with block, on the wall and of the CPU."""

    def __enter__(self):
        self.wall, self.cpu = time.perf_counter(), time.process_time()
        return self

    def __exit__(self, *_):
        self.wall = time.perf_counter() - self.wall
        self.cpu = time.process_time() - self.cpu


def best_of(n_runs, work):
    """What work returns, and the pair of wall and CPU seconds of its best run."""
    times = []
    for _ in range(n_runs):
        with Clock() as clock:
            found = work()
        times.append((clock.wall, clock.cpu))
    return found, (min(wall for wall, _ in times), min(cpu for _, cpu in times))


def log_loss(truth, probability, labels):
    """Mean negative logarithm; clipped and normalised as scikit-learn does it."""
    index = {label: i for i, label in enumerate(labels)}
    p = np.asarray(probability, dtype=np.float64)
    p = np.clip(p / p.sum(axis=1, keepdims=True), np.finfo(np.float64).eps, 1.0)
    return float(-np.mean(np.log(p[range(len(truth)), [index[t] for t in truth]])))


def result(part, predicted, fit, classify, n_bytes, probability=None, labels=None):
    """fit and classify are pairs of wall and CPU seconds."""
    n_test = len(part["test_labels"])
    return {
        "n_train": len(part["train_labels"]),
        "n_test": n_test,
        "accuracy": float(accuracy_score(part["test_labels"], predicted)),
        "macro_f1": float(f1_score(part["test_labels"], predicted, average="macro")),
        "log_loss": None if probability is None
                    else log_loss(part["test_labels"], probability, labels),
        "train_s": fit[0],
        "train_cpu_s": fit[1],
        "rows_per_s": n_test / classify[0],
        "rows_per_cpu_s": n_test / classify[1],
        "bytes": n_bytes,
    }


def tfidf():
    return FeatureUnion([
        ("word", TfidfVectorizer(analyzer="word", ngram_range=(1, 2),
                                 sublinear_tf=True)),
        ("char", TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5),
                                 sublinear_tf=True)),
    ])


def run_sklearn(part, names):
    """The vectoriser is the same for all, so it is timed once and added to each."""
    vectoriser = tfidf()
    with Clock() as vectorise:
        features = vectoriser.fit_transform(part["train_texts"])
    test_features, transform = best_of(N_SLOW_CLASSIFY_RUNS,
                                       lambda: vectoriser.transform(part["test_texts"]))
    for name in names:
        classifier = SKLEARN[name]()
        with Clock() as fit:
            classifier.fit(features, part["train_labels"])
        predicted, predict = best_of(N_CLASSIFY_RUNS,
                                     lambda: classifier.predict(test_features))
        probability = None
        if hasattr(classifier, "predict_proba"):
            probability = classifier.predict_proba(test_features)
        n_bytes = len(pickle.dumps((vectoriser, classifier), pickle.HIGHEST_PROTOCOL))
        yield name, result(part, predicted,
                           (vectorise.wall + fit.wall, vectorise.cpu + fit.cpu),
                           (transform[0] + predict[0], transform[1] + predict[1]),
                           n_bytes, probability, list(classifier.classes_))


def one_line(text):
    return text.replace("\n", " ")


def run_fasttext(part, settings):
    with tempfile.TemporaryDirectory() as folder:
        train_file = os.path.join(folder, "train.txt")
        with Clock() as fit:
            with open(train_file, "w", encoding="utf-8", newline="\n") as file:
                for label, text in zip(part["train_labels"], part["train_texts"]):
                    file.write(f"{FASTTEXT_LABEL}{label} {one_line(text)}\n")
            model = fasttext.train_supervised(train_file, thread=1, verbose=0, **settings)
        lines = [one_line(text) for text in part["test_texts"]]
        # The list form: the other one does not work with numpy 2
        predicted, classify = best_of(N_CLASSIFY_RUNS, lambda: model.predict(lines, k=1)[0])
        model_file = os.path.join(folder, "model.bin")
        model.save_model(model_file)
        n_bytes = os.path.getsize(model_file)
    labels = model.get_labels()
    probability = np.zeros((len(lines), len(labels)))
    index = {label: i for i, label in enumerate(labels)}
    for i, line in enumerate(lines):
        # Not the list form: it repeats the first probability for every label
        for p, label in model.f.predict(line + "\n", -1, 0.0, "strict"):
            probability[i, index[label]] = p
    return result(part, [row[0].removeprefix(FASTTEXT_LABEL) for row in predicted],
                  (fit.wall, fit.cpu), classify, n_bytes,
                  probability, [label.removeprefix(FASTTEXT_LABEL) for label in labels])


def divide(labels, texts, tested, seed):
    """Rows are shuffled: fastText learns little from a file sorted by label."""
    order = list(range(len(labels)))
    random.Random(seed).shuffle(order)
    part = {key: [] for key in ("train_labels", "train_texts", "test_labels", "test_texts")}
    for i in order:
        side = "test" if tested[i] else "train"
        part[side + "_labels"].append(labels[i])
        part[side + "_texts"].append(texts[i])
    return part


def run_split(part, names):
    for name in names:
        if name in FASTTEXT:
            yield name, run_fasttext(part, FASTTEXT[name])
    of_sklearn = [name for name in names if name in SKLEARN]
    if of_sklearn:
        yield from run_sklearn(part, of_sklearn)


def cpu_name():
    with open("/proc/cpuinfo") as file:
        for line in file:
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor()


def environment():
    blas = sorted({f"{lib['internal_api']} {lib['version']} {lib.get('architecture', '')}, "
                   f"{lib['num_threads']} thread" for lib in threadpool_info()
                   if lib["user_api"] == "blas"})
    return {
        "cpu": cpu_name(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "scikit-learn": sklearn.__version__,
        "numpy": np.__version__,
        "scipy": scipy.__version__,
        "fasttext-wheel": importlib.metadata.version("fasttext-wheel"),
        "blas": blas,
    }


def read_results(path):
    if os.path.exists(path):
        with open(path) as file:
            return json.load(file)["results"]
    return []


def write_results(path, results):
    with open(path + ".tmp", "w") as file:
        json.dump({"environment": environment(), "results": results}, file, indent=1)
    os.replace(path + ".tmp", path)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", default=data.BUILD, help="folder of the sets")
    parser.add_argument("--out", default=os.path.join(data.BUILD, "peers.json"))
    parser.add_argument("--splits", type=int, nargs="+", default=range(data.N_SPLITS))
    parser.add_argument("--sets", nargs="+", default=data.SETS, choices=data.SETS)
    parser.add_argument("--peers", nargs="+", default=PEERS, choices=PEERS)
    options = parser.parse_args()

    results = read_results(options.out)
    for name in options.sets:
        labels, texts = data.load(name, options.data)
        for split in options.splits:
            done = {r["peer"] for r in results if (r["set"], r["split"]) == (name, split)}
            todo = [peer for peer in options.peers if peer not in done]
            if not todo:
                continue
            tested = data.load_split(name, split, options.data)
            part = divide(labels, texts, tested, split)
            for peer, found in run_split(part, todo):
                results.append({"set": name, "split": split, "peer": peer, **found})
                write_results(options.out, results)
                print(f"{name} {split} {peer:24} accuracy {found['accuracy']:.4f} "
                      f"macro F1 {found['macro_f1']:.4f} train {found['train_s']:.2f} s "
                      f"{found['rows_per_s']:.0f} rows/s", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
