#!/usr/bin/env python3
"""aiaas's networks through SQL, beside PyTorch and Keras and the targets.

Expects a server to connect to by PGHOST and PGDATABASE, the extension at hand, the tables of
examples/fashion-mnist.sql, and the right to read /proc of the server's processes.

Ours is the time of a whole statement: reading rows, learning, measuring and storing.  The
peers' begins with tensors in memory and ends with the last step.  Both are of one run, in
which they take turns, with one thread and with two; a ratio is the median over the turns.
"""

import argparse
import dataclasses
import json
import os
import platform
import re
import statistics
import threading
import time
from collections import Counter
from importlib.metadata import version

import data
import network_peers as peers
import sklearn.datasets
import torch
from pq import Connection
from share import cpu_name
from text import literal, load_rows
from threadpoolctl import threadpool_info
from verdicts import Verdicts

US = "aiaas"
MB = 1024 * 1024
THREADS = (1, 2)
N_APPLY_RUNS = 15
N_SEEDS = 5
N_TOKENS = 40
UNKNOWN, FIRST_WORD = 1, 2      # 0 pads
SLOW = 2.0                      # times the fastest peer's: not measured again
LONG_STEP = 1e-3                # seconds; in shorter ones threads mostly exchange new weights
LARGE = ('{"input": [784], "layers": [{"dense": 16000}, {"dense": 800}, {"dense": 10}],'
         ' "epochs": 1, "validation": 0, "deploy": "always"}')

DENSE = [{"dense": 64, "activation": "relu"}, {"dense": 10}]
LAYERS = {
    "mlp": ["flatten", {"dense": 64, "activation": "relu"}, *DENSE],
    "cnn": [{"conv2d": 32, "kernel_size": 3, "activation": "relu"}, {"max_pool": 2},
            {"conv2d": 64, "kernel_size": 3, "activation": "relu"}, {"max_pool": 2},
            "flatten", *DENSE],
    "lstm": [{"embedding": 64}, {"lstm": 64}, {"dense": 3}],
    "digits": ["normalize", *DENSE],
    "diabetes": ["normalize", {"dense": 32, "activation": "relu"}, {"dense": 1}],
}


@dataclasses.dataclass
class Task:
    name: str
    kind: str                   # of LAYERS
    table: str                  # to learn from; <table>_test is tested on
    batch_size: int
    epochs: int
    turns: int
    quick_rows: int             # with --quick; 0: all
    faster: float               # targets
    accuracy: float

    def options(self):
        is_image = self.table == "fashion"
        shape = {"input": [28, 28, 1]} if is_image else {"sequence_length": N_TOKENS}
        return json.dumps({**shape, "layers": LAYERS[self.kind], "batch_size": self.batch_size,
                           "learning_rate": peers.LEARNING_RATE, "epochs": self.epochs,
                           "validation": 0, "deploy": "always"})


TASKS = (
    Task("mlp-64", "mlp", "fashion", 64, 3, 5, 0, 4.0, 0.85),
    Task("mlp-32", "mlp", "fashion", 32, 3, 5, 0, 4.0, 0.85),
    Task("cnn-64", "cnn", "fashion", 64, 3, 3, 6400, 2.0, 0.88),
    Task("lstm-64", "lstm", "tweets", 64, 1, 3, 6400, 2.5, 0.74),
)


@dataclasses.dataclass
class Part:
    """Rows as the peers want them"""
    inputs: torch.Tensor
    targets: torch.Tensor

    def head(self, n):
        return Part(self.inputs[:n], self.targets[:n])


#
# Rows
#

def numbered(labels):
    number = {label: i for i, label in enumerate(sorted(set(labels)))}
    return torch.tensor([number[label] for label in labels])


def images_of(db, table):
    rows = db.execute(f"SELECT image, label FROM {table} ORDER BY id")
    pixels = bytearray().join(bytes.fromhex(image[2:]) for image, _ in rows)
    inputs = torch.frombuffer(pixels, dtype=torch.uint8).view(-1, 28, 28, 1)
    return Part(inputs.float() / 255, numbered([label for _, label in rows]))


def tokens(text):
    return re.findall(r"\w+|[^\w\s]", text.lower())[:N_TOKENS]


def words_of(rows, number):
    inputs = torch.zeros(len(rows), N_TOKENS, dtype=torch.long)
    for i, (_, text) in enumerate(rows):
        found = [number.get(word, UNKNOWN) for word in tokens(text)]
        inputs[i, :len(found)] = torch.tensor(found, dtype=torch.long)
    return Part(inputs, numbered([label for label, _ in rows]))


def tweets_of(db):
    """(to learn from, to test on, how many numbers words have): words that occur twice, as ours"""
    train, test = (db.execute(f"SELECT label, body FROM {table} ORDER BY id")
                   for table in ("tweets", "tweets_test"))
    counts = Counter(word for _, text in train for word in tokens(text))
    known = [word for word, n in counts.most_common() if n > 1]
    number = {word: i + FIRST_WORD for i, word in enumerate(known)}
    return words_of(train, number), words_of(test, number), len(known) + FIRST_WORD


def load_tweets(db):
    """In the file they stand label by label; numbered in any order, the first ones are of all."""
    tested = data.load_split("tweets", 0, data.BUILD)
    for table, side in (("tweets", False), ("tweets_test", True)):
        load_rows(db, "loaded", "tweets", tested, side)
        db.execute(f"CREATE TABLE {table} AS SELECT row_number() OVER (ORDER BY md5(body), label)"
                   " AS id, label, body FROM loaded")
        db.execute(f"ANALYZE {table}")


#
# Ours
#

def columns(table):
    return "image, label" if table.startswith("fashion") else "body, label"


def train(db, model, query, target, options):
    """(seconds of the statement, those of its epochs)"""
    seconds, rows = db.timed(f"SELECT version FROM ai_train({literal(model)}, {literal(query)},"
                             f" '{target}', 'network', {literal(options)})")
    name = literal(f"{model}@{rows[0][0]}")
    epochs = db.execute(f"SELECT extract(epoch FROM sum(duration)) FROM ai_history({name})")
    return seconds, float(epochs[0][0])


def measured(db, model, query, metric):
    rows = db.execute(f"SELECT value FROM ai_evaluate({literal(model)}, {literal(query)})"
                      f" WHERE metric = '{metric}'")
    return float(rows[0][0])


#
# Training
#

class Contest:
    """Seconds of each contestant by number of threads, turn after turn"""

    def __init__(self, task, n_rows, threads):
        self.task = task
        self.n_rows = n_rows
        self.threads = threads
        self.seconds = {}       # (name, threads): [turns]
        self.outside = []       # our seconds outside of the epochs, with the fewest threads
        self.accuracy = {}      # name: [turns]

    def add(self, name, threads, seconds, accuracy):
        self.seconds.setdefault((name, threads), []).append(seconds)
        self.accuracy.setdefault(name, []).append(accuracy)

    def median(self, name, threads):
        return statistics.median(self.seconds[name, threads])

    def fastest(self, threads):
        """(name, threads) of a peer, which may leave threads idle"""
        return min((one for one in self.seconds if one[0] != US and one[1] <= threads),
                   key=lambda one: self.median(*one))

    def is_slow(self, name, threads):
        return ((name, threads) in self.seconds and
                self.median(name, threads) > SLOW * self.median(*self.fastest(threads)))

    def times_faster(self, one, other):
        """How many times faster the other is, each (name, threads)"""
        return statistics.median(a / b for a, b in zip(self.seconds[one], self.seconds[other]))


def run_turn(db, contest, train_part, test_part, n_words, threads):
    task = contest.task
    for peer in peers.PEERS:
        if not contest.is_slow(peer.NAME, threads):
            seconds, network = peers.train(peer, task.kind, train_part, n_words, task.batch_size,
                                           task.epochs)
            contest.add(peer.NAME, threads, seconds, peers.accuracy(network, test_part))
    query = f"SELECT {columns(task.table)} FROM {task.table} WHERE id <= {contest.n_rows}"
    seconds, epochs = train(db, task.name, query, "label", task.options())
    if threads == contest.threads[0]:
        contest.outside.append(seconds - epochs)
    test = f"SELECT {columns(task.table)} FROM {task.table}_test"
    contest.add(US, threads, seconds, measured(db, task.name, test, "accuracy"))


def print_contest(contest):
    task = contest.task
    print(f"\n{task.name}: {contest.n_rows} rows in batches of {task.batch_size}, epochs: "
          f"{task.epochs}; of {US}'s seconds {statistics.median(contest.outside):.2f} are "
          "outside of the epochs")
    print("            threads  turns  s/epoch  times ours  accuracy")
    for (name, threads), seconds in sorted(contest.seconds.items(), key=lambda item: item[0][1]):
        print(f"  {name:9} {threads:7} {len(seconds):6} "
              f"{contest.median(name, threads) / task.epochs:8.2f} "
              f"{contest.times_faster((name, threads), (US, threads)):11.2f} "
              f"{statistics.median(contest.accuracy[name]):9.4f}", flush=True)


def n_steps(contest):
    return contest.n_rows / contest.task.batch_size


def judge_contest(verdicts, contest, is_whole):
    task = contest.task
    for threads in contest.threads:
        peer = contest.fastest(threads)
        verdicts.at_least(task.name, f"training, threads: {threads}, times faster than {peer[0]}",
                          contest.times_faster(peer, (US, threads)), task.faster, "{:.2f}")
    if len(contest.threads) > 1:
        step = contest.median(US, 1) / task.epochs / n_steps(contest)
        gain = contest.times_faster((US, 1), (US, 2))
        if step >= LONG_STEP:
            verdicts.at_least(task.name, "training, times faster with two threads", gain, 1.6,
                              "{:.2f}")
        else:
            print(f"  two threads are {gain:.2f} times as fast as one, in steps of "
                  f"{1e3 * step:.2f} ms")
    if is_whole:
        verdicts.at_least(task.name, "accuracy", statistics.median(contest.accuracy[US]),
                          task.accuracy, "{:.4f}")


def measure_training(db, parts, options, verdicts):
    for task in TASKS:
        if task.name not in options.tasks:
            continue
        train_part, test_part, n_words = parts[task.table]
        n_rows = len(train_part.inputs)
        if options.quick and task.quick_rows > 0:
            n_rows = task.quick_rows
        contest = Contest(task, n_rows, options.threads)
        for _ in range(options.turns or task.turns):
            for threads in options.threads:
                peers.set_threads(threads)
                db.execute(f"SET aiaas.threads = {threads}")
                run_turn(db, contest, train_part.head(n_rows), test_part, n_words, threads)
        print_contest(contest)
        judge_contest(verdicts, contest, n_rows == len(train_part.inputs))


#
# Applying
#

def measure_applying(db, parts, _, verdicts):
    """10,000 images in one statement, one thread"""
    db.execute("SET aiaas.threads = 1")
    db.execute("SET max_parallel_workers_per_gather = 0")
    peers.set_threads(1)
    inputs = parts["fashion"][1].inputs
    print(f"\napplying to {len(inputs)} images, one thread, ms")
    for kind, target in (("mlp", 1.0), ("cnn", 1.8)):
        train(db, kind, "SELECT image, label FROM fashion WHERE id <= 640", "label",
              next(task for task in TASKS if task.kind == kind).options())
        query = f"SELECT count(ai_classify(image, '{kind}')) FROM fashion_test"
        db.execute(query)
        appliers = [peers.Applier(peer, kind, inputs) for peer in peers.PEERS]
        turns = [[db.timed(query)[0], *(it.seconds() for it in appliers)]
                 for _ in range(N_APPLY_RUNS)]
        ours, *theirs = ([1e3 * ms for ms in column] for column in zip(*turns))
        print(f"  {kind}: {US} {statistics.median(ours):.1f}, " + ", ".join(
            f"{it.name} {statistics.median(column):.1f} (batches of {it.batch_size})"
            for it, column in zip(appliers, theirs)), flush=True)
        fastest, of_fastest = min(zip(appliers, theirs),
                                  key=lambda pair: statistics.median(pair[1]))
        verdicts.at_least("apply", f"{kind}, times faster than {fastest.name}",
                          statistics.median(a / b for a, b in zip(of_fastest, ours)), target,
                          "{:.2f}")


#
# Memory
#

def status(pid):
    """Bytes by name of those that /proc tells of a process"""
    with open(f"/proc/{pid}/status") as file:
        return {field[1]: 1024 * int(field[2]) for field in
                (re.match(r"(\w+):\s+(\d+) kB", line) for line in file) if field}


class Peak:
    """The most private memory that a process has during a with block"""

    def __init__(self, pid):
        self.pid, self.bytes = pid, 0
        self.is_over = threading.Event()
        self.thread = threading.Thread(target=self.watch)

    def watch(self):
        while not self.is_over.wait(0.02):
            self.bytes = max(self.bytes, status(self.pid)["RssAnon"])

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.is_over.set()
        self.thread.join()


def measure_training_memory(task, n_rows, all_threads, verdicts):
    query = f"SELECT image, label FROM fashion WHERE id <= {n_rows}"
    for threads in all_threads:
        with Connection() as db:
            db.execute(f"SET aiaas.threads = {threads}")
            content = int(db.execute(f"SELECT sum(length(image)) FROM ({query}) i")[0][0])
            before = status(db.pid)
            with Peak(db.pid) as peak:
                train(db, "memory", query, "label",
                      dataclasses.replace(task, epochs=1).options())
            total = status(db.pid)["VmHWM"] - before["VmRSS"] - content
            private = peak.bytes - before["RssAnon"] - content
        print(f"training the cnn, threads: {threads}, takes {total / MB:.0f} MB beyond the rows' "
              f"{content / MB:.0f} MB, of which {private / MB:.0f} MB are private", flush=True)
        verdicts.at_most("memory", f"training the cnn beyond the data, threads: {threads}, MB",
                         total / MB, 300, "{:.0f}")


def measure_applying_memory(db, verdicts):
    train(db, "large", "SELECT image, label FROM fashion WHERE id <= 64", "label", LARGE)
    train(db, "little", "SELECT image, label FROM fashion WHERE id <= 64", "label",
          TASKS[0].options())
    size = int(db.execute("SELECT bytes FROM ai_models WHERE name = 'large'")[0][0])
    call = "SELECT count(ai_classify(image, '{}')) FROM fashion_test WHERE id <= 100"
    with Connection() as other:
        other.execute("SET aiaas.threads = 1")
        other.execute(call.format("little"))
        before = status(other.pid)["RssAnon"]
        other.execute(call.format("large"))
        private = status(other.pid)["RssAnon"] - before
    verdicts.at_most("memory", f"applying a network of {size / MB:.0f} MB, private MB",
                     private / MB, 0.1 * size / MB, "{:.1f}")


def measure_memory(db, parts, options, verdicts):
    cnn = next(task for task in TASKS if task.kind == "cnn")
    n_rows = cnn.quick_rows if options.quick else len(parts["fashion"][0].inputs)
    print()
    measure_training_memory(cnn, n_rows, options.threads, verdicts)
    measure_applying_memory(db, verdicts)


#
# Small sets of numbers
#

def load_small(db, name):
    """Every fifth row is tested on."""
    found = getattr(sklearn.datasets, "load_" + name)()
    column = "integer" if name == "digits" else "float8"
    db.execute(f"CREATE TABLE {name} (id integer, features real[], target {column})")
    db.copy_in(f"COPY {name} FROM STDIN", (
        f"{i}\t{{{','.join(map(str, features))}}}\t{target}\n"
        for i, (features, target) in enumerate(zip(found.data.tolist(), found.target.tolist()))))
    inputs = torch.tensor(found.data, dtype=torch.float32)
    kind = torch.long if name == "digits" else torch.float32
    targets = torch.tensor(found.target, dtype=kind)
    is_test = torch.arange(len(inputs)) % 5 == 0
    return Part(inputs[~is_test], targets[~is_test]), Part(inputs[is_test], targets[is_test])


def score(predicted, truth):
    """Accuracy of classes, R2 of values"""
    if truth.dtype == torch.long:
        return float((predicted == truth).float().mean())
    return float(1 - ((predicted - truth) ** 2).sum() / ((truth - truth.mean()) ** 2).sum())


def measure_small(db, _, __, verdicts):
    print(f"\nsmall sets, tested on every fifth row, medians of {N_SEEDS} seeds")
    for name, metric, epochs in (("digits", "accuracy", 10), ("diabetes", "r2", 100)):
        train_part, test_part = load_small(db, name)
        query = f"SELECT features, target FROM {name} WHERE id % 5 "
        ours, keras = [], []
        for seed in range(1, N_SEEDS + 1):
            train(db, name, query + "<> 0", "target", json.dumps(
                {"layers": LAYERS[name], "epochs": epochs, "batch_size": 32, "seed": seed,
                 "learning_rate": 0.01, "validation": 0, "deploy": "always"}))
            ours.append(measured(db, name, query + "= 0", metric))
            keras.append(score(peers.fit_small(name, train_part, test_part, epochs, seed),
                               test_part.targets))
        print(f"  {name}, {metric}: {US} {statistics.median(ours):.4f}, "
              f"Keras {statistics.median(keras):.4f}", flush=True)
        verdicts.at_least(name, f"{metric}, no less than Keras's by 0.02",
                          statistics.median(ours), statistics.median(keras) - 0.02, "{:.4f}")


#
# Running
#

MEASURES = {"training": measure_training, "applying": measure_applying,
            "memory": measure_memory, "small": measure_small}


def print_environment(db):
    setting = db.execute("SELECT current_setting('aiaas.cpu_level'),"
                         " coalesce(current_setting('aiaas.blas', true), 'own'), version()")[0]
    blas = sorted({f"{lib['internal_api']} {lib['version']} {lib.get('architecture', '')}"
                   for lib in threadpool_info() if lib["user_api"] == "blas"})
    print(f"{cpu_name()}, {os.cpu_count()} cores; {setting[2].split(' on ')[0]}; "
          f"aiaas.cpu_level {setting[0]}, aiaas.blas {setting[1]}")
    print(f"Python {platform.python_version()}, torch {torch.__version__} "
          f"({torch.backends.cpu.get_cpu_capability()}), keras {version('keras')}, "
          f"scikit-learn {version('scikit-learn')}, numpy {version('numpy')}; {'; '.join(blas)}",
          flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    names = [task.name for task in TASKS]
    parser.add_argument("--quick", action="store_true",
                        help="fewer rows where an epoch takes long")
    parser.add_argument("--measures", nargs="+", default=MEASURES, choices=MEASURES)
    parser.add_argument("--tasks", nargs="+", default=names, choices=names,
                        help="that training is measured with")
    parser.add_argument("--threads", nargs="+", type=int, default=THREADS, choices=THREADS,
                        help="of training")
    parser.add_argument("--turns", type=int, help="of training")
    options = parser.parse_args()

    verdicts = Verdicts()
    with Connection() as db:
        db.execute("CREATE EXTENSION aiaas")
        db.execute("LOAD 'aiaas'")
        print_environment(db)
        load_tweets(db)
        parts = {"fashion": (images_of(db, "fashion"), images_of(db, "fashion_test"), 0),
                 "tweets": tweets_of(db)}
        start = time.perf_counter()
        for name in options.measures:
            MEASURES[name](db, parts, options, verdicts)
        print(f"\n{time.perf_counter() - start:.0f} s")
    verdicts.print()


if __name__ == "__main__":
    main()
