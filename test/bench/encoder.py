#!/usr/bin/env python3
"""aiaas's encoders through SQL, beside ONNX Runtime and PyTorch and the targets.

Expects a server to connect to by PGHOST and PGDATABASE, the extension at hand, the model in
build/models/minilm ("make models"), and the right to read /proc of the server's processes.

Throughput is texts per second, tokenising included: ours of a whole statement, the peers' from
texts in memory to embeddings.  All take turns in one run, short ones, since machines change their
speed; a ratio is the median over the turns.
"""

import argparse
import os
import platform
import statistics
import time

import data
import encoder_peers as peers
import numpy
import onnxruntime
import tokenizers
import torch
from pq import Connection
from share import MB, cpu_name, literal, memory
from verdicts import Verdicts

US = "aiaas"
MODEL = os.path.join(data.TREE, "build", "models", "minilm")
PRECISIONS = ("fp32", "bf16", "int8")
THREADS = (1, 2)
SHORT, LONG = "sms", "mails"
N_TEXTS = {SHORT: 160, LONG: 32}
PAUSE = 0.3  # seconds, until the threads of whoever computed before have gone to sleep
FASTER = {"fp32": 1.8, "bf16": 1.6, "int8": 2.5}
N_TOKENISED = {SHORT: 4000, LONG: 400}
FASTER_TOKENS = 3.0
N_LATENCY = 200
LATENCY_TURN = 20        # texts one after the other: each program finds its weights in the caches
N_CONNECTIONS = 21
N_SHARING = 10
N_TRUTH, N_PAIRS = 400, 2000


def model_of(precision):
    return "minilm_" + precision


#
# Texts
#

def texts_of(name):
    found = sorted(set(data.load("sms" if name == SHORT else "spam", data.BUILD)[1]))
    numpy.random.default_rng(7).shuffle(found)
    if name == LONG:
        found = [text for text in found if len(text) > 2000]
    return [text.replace("\0", " ") for text in found]


def load(db, name, texts):
    db.execute(f"CREATE TABLE {name} (id serial PRIMARY KEY, body text NOT NULL)")
    db.copy_in(f"COPY {name} (body) FROM STDIN", (data.escape(text) + "\n" for text in texts))
    db.execute(f"VACUUM ANALYZE {name}")


def import_models(db):
    seconds = {}
    for precision in PRECISIONS:
        seconds[precision] = db.timed(f"SELECT ai_import_file({literal(model_of(precision))}, "
                                      f"{literal(MODEL)}, weights => {literal(precision)})")[0]
        db.execute(f"SELECT ai_embed('now it is there', {literal(model_of(precision))})")
    return seconds


def embed(db, texts, precision):
    rows = db.execute(f"SELECT ai_embed(body, {literal(model_of(precision))}) "
                      f"FROM {texts} ORDER BY id LIMIT {N_TRUTH}")
    return numpy.array([[float(x) for x in row[0][1:-1].split(",")] for row in rows])


#
# Throughput
#

def speed_of_ours(db, texts, precision, n):
    return n / db.timed(f"SELECT sum(array_length(ai_embed(body, {literal(model_of(precision))}), 1))"
                        f" FROM {texts} WHERE id <= {n}")[0]


def speed_of_peer(peer, texts):
    start = time.perf_counter()
    peer.embed(texts)
    return len(texts) / (time.perf_counter() - start)


def measure_precision(db, found_peers, texts, name, precision, options):
    """Texts per second by who computed them, a list over the turns"""
    n = min(options.texts or N_TEXTS[name], len(texts))
    speeds = {who: [] for who in (US, *found_peers)}
    for _ in range(options.turns):
        time.sleep(PAUSE)
        speeds[US].append(speed_of_ours(db, name, precision, n))
        for who, peer in found_peers.items():
            time.sleep(PAUSE)
            speeds[who].append(speed_of_peer(peer, texts[:n]))
    return speeds


def ratio(speeds):
    """Our speed by that of the fastest peer, the median over the turns"""
    return statistics.median(ours / max(other[i] for who, other in speeds.items() if who != US)
                             for i, ours in enumerate(speeds[US]))


def measure_throughput(db, texts, options, verdicts):
    every_peer = peers.make(MODEL)
    for n_threads in options.threads:
        db.execute(f"SET aiaas.threads = {n_threads}")
        for precision in options.precisions:
            for peer in every_peer[precision].values():
                peer.set_threads(n_threads)
                peer.embed(texts[SHORT][:64])
            for name in (SHORT, LONG):
                speeds = measure_precision(db, every_peer[precision], texts[name], name, precision,
                                           options)
                print(f"{name:5} {precision} {n_threads} thread{'s' * (n_threads > 1)}: " +
                      ", ".join(f"{who} {statistics.median(s):.0f}" for who, s in speeds.items()) +
                      f" texts/s; {ratio(speeds):.2f} times", flush=True)
                verdicts.at_least(name, f"{precision}, {n_threads} threads, times the fastest peer",
                                  ratio(speeds), FASTER[precision], "{:.2f}")
    db.execute("RESET aiaas.threads")


def measure_tokens(db, texts, options, verdicts):
    tokenizer = peers.tokenizer_of(MODEL)
    tokenizer.no_truncation()
    db.execute("SET aiaas.threads = 1")
    for name in (SHORT, LONG):
        n = min(N_TOKENISED[name], len(texts[name]))
        ours, theirs = [], []
        for _ in range(options.turns + 2):
            ours.append(n / db.timed(f"SELECT sum(ai_count_tokens(body, 'minilm_fp32')) FROM {name}"
                                     f" WHERE id <= {n}")[0])
            start = time.perf_counter()
            for text in texts[name][:n]:
                tokenizer.encode(text)
            theirs.append(n / (time.perf_counter() - start))
        times = statistics.median(a / b for a, b in zip(ours, theirs))
        print(f"{name:5} tokens: {US} {statistics.median(ours):.0f} texts/s, tokenizers "
              f"{statistics.median(theirs):.0f}; {times:.1f} times", flush=True)
        verdicts.at_least(name, "tokenising, times tokenizers, one thread", times, FASTER_TOKENS,
                          "{:.1f}")
    db.execute("RESET aiaas.threads")


#
# Latency and memory
#

def measure_latency(db, texts, options, verdicts):
    short = [text for text in texts[SHORT] if 60 < len(text) < 120][:N_LATENCY]
    int8 = peers.make(MODEL)["int8"]["ONNX Runtime"]
    int8.set_threads(1)
    db.execute("SET aiaas.threads = 1")
    ours, theirs = [], []
    for begin in range(0, len(short), LATENCY_TURN):
        turn = short[begin:begin + LATENCY_TURN]
        ours += [1e3 * db.timed(f"SELECT ai_embed({literal(text)}, 'minilm_int8')")[0]
                 for text in turn]
        theirs += [1e3 / speed_of_peer(int8, [text]) for text in turn]
    print(f"one short text, int8, one thread: {US} {statistics.median(ours):.2f} ms, ONNX Runtime "
          f"{statistics.median(theirs):.2f} ms")
    verdicts.at_most("latency", "one short text, int8, one thread, ms", statistics.median(ours),
                     1.2, "{:.2f}")
    first = []
    for _ in range(N_CONNECTIONS):
        with Connection() as fresh:
            fresh.execute("SET aiaas.threads = 1")
            first.append(1e3 * fresh.timed("SELECT ai_embed('free prize, call now', "
                                           "'minilm_int8')")[0])
    verdicts.at_most("latency", "first call of a connection, beyond that, ms",
                     statistics.median(first) - statistics.median(ours), 5.0, "{:.2f}")
    db.execute("RESET aiaas.threads")


def measure_memory(db, texts, options, verdicts):
    for precision in PRECISIONS:
        connections = [Connection() for _ in range(N_SHARING)]
        for connection in connections:
            connection.execute(f"SELECT sum(length(body)) FROM {SHORT}")
        before = [memory(connection.pid)[0] for connection in connections]
        for i, connection in enumerate(connections):
            connection.execute(f"SELECT sum(array_length(ai_embed(body, "
                               f"{literal(model_of(precision))}), 1)) FROM {SHORT} "
                               f"WHERE id BETWEEN {i * 40 + 1} AND {i * 40 + 40}")
        after = [memory(connection.pid)[0] for connection in connections]
        for connection in connections:
            connection.__exit__()
        most = max(b - a for a, b in zip(before, after)) / MB
        verdicts.at_most("memory", f"{precision}, of each of {N_SHARING} connections, MB", most,
                         20.0, "{:.1f}")


#
# Truth
#

def ranks(values):
    order = numpy.argsort(values, kind="stable")
    found = numpy.empty(len(values))
    found[order] = numpy.arange(len(values))
    return found


def measure_truth(db, texts, options, verdicts):
    truth = peers.Torch(MODEL, torch.float64).embed(texts[SHORT][:N_TRUTH])
    pairs = numpy.random.default_rng(1).integers(0, N_TRUTH, (N_PAIRS, 2))
    similarity = (truth[pairs[:, 0]] * truth[pairs[:, 1]]).sum(1)
    for precision in PRECISIONS:
        found = embed(db, SHORT, precision)
        cosine = (found * truth).sum(1) / numpy.linalg.norm(found, axis=1)
        other = (found[pairs[:, 0]] * found[pairs[:, 1]]).sum(1)
        spearman = numpy.corrcoef(ranks(similarity), ranks(other))[0, 1]
        print(f"{precision}: greatest difference {abs(found - truth).max():.1e}, cosine "
              f"{cosine.min():.5f} at least, {cosine.mean():.5f} on average, Spearman "
              f"{spearman:.5f}", flush=True)
        if precision == "fp32":
            verdicts.at_most("truth", "fp32, greatest difference, millionths",
                             1e6 * abs(found - truth).max(), 2.0, "{:.2f}")
        elif precision == "bf16":
            verdicts.at_least("truth", "bf16, least cosine", cosine.min(), 0.9999, "{:.5f}")
        else:
            verdicts.at_least("truth", "int8, cosine on average", cosine.mean(), 0.995, "{:.4f}")
            verdicts.at_least("truth", f"int8, Spearman of {N_PAIRS} pairs", spearman, 0.998,
                              "{:.4f}")


#
# Running
#

MEASURES = {"truth": measure_truth, "throughput": measure_throughput, "tokens": measure_tokens,
            "latency": measure_latency, "memory": measure_memory}


def print_environment(db):
    setting = db.execute("SELECT current_setting('aiaas.cpu_level'), version()")[0]
    print(f"{cpu_name()}, {os.cpu_count()} cores; {setting[1].split(' on ')[0]}; "
          f"aiaas.cpu_level {setting[0]}")
    print(f"Python {platform.python_version()}, torch {torch.__version__} "
          f"({torch.backends.cpu.get_cpu_capability()}), ONNX Runtime {onnxruntime.__version__}, "
          f"tokenizers {tokenizers.__version__}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--measures", nargs="+", default=MEASURES, choices=MEASURES)
    parser.add_argument("--precisions", nargs="+", default=PRECISIONS, choices=PRECISIONS)
    parser.add_argument("--threads", nargs="+", type=int, default=THREADS, choices=THREADS)
    parser.add_argument("--turns", type=int, default=9)
    parser.add_argument("--texts", type=int, help="that throughput is measured with")
    options = parser.parse_args()

    verdicts = Verdicts()
    texts = {name: texts_of(name) for name in (SHORT, LONG)}
    with Connection() as db:
        db.execute("CREATE EXTENSION aiaas")
        db.execute("LOAD 'aiaas'")
        db.execute("SET max_parallel_workers_per_gather = 0")
        print_environment(db)
        for name in texts:
            load(db, name, texts[name])
        for precision, seconds in import_models(db).items():
            verdicts.at_most("import", f"{precision}, with packing, s", seconds, 3.0, "{:.2f}")
        for name in options.measures:
            MEASURES[name](db, texts, options, verdicts)
    verdicts.print()


if __name__ == "__main__":
    main()
