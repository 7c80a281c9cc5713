#!/usr/bin/env python3
"""aiaas's text classifier through SQL, beside the peers and the targets.

Expects a server to connect to by PGHOST and PGDATABASE, an empty database with
the extension at hand, and the peers' results (peers.py).  Every figure of ours
is of a whole statement, with default options, in one session and one thread
unless it says otherwise.

Seconds of the peers are CPU time: the time that they would take on an idle
machine.  Ours are by the clock on the wall.
"""

import argparse
import json
import math
import os
import statistics
import struct
import subprocess
import sys
import tempfile
import time

import data
from pq import Connection
from verdicts import Verdicts

N_TRAIN_RUNS = 3                # with one thread and with two, in turn
N_CLASSIFY_RUNS = 5
N_CONNECTIONS = 21
N_EXTENSION_RUNS = 5
N_OVERHEAD_ROWS = 20000
N_OVERHEAD_RUNS = 5
CANCEL_AT = (0.02, 0.1, 0.25, 0.5, 0.75, 0.95)  # shares of a training run
CANCEL_SETS = ("tweets", "spam")
EPSILON = sys.float_info.epsilon

PEERS = ("fasttext words", "fasttext chars 2-5", "fasttext chars 3-5", "sklearn svm",
         "sklearn logistic")
CHARS = "fasttext chars"
LOGISTIC = "sklearn logistic"
US = "aiaas"

TRAIN = "SELECT * FROM ai_train('{model}', 'SELECT label, body FROM {table}', 'label')"
MODEL_BYTES = ("SELECT k.data FROM aiaas.chunk k JOIN aiaas.version v USING (hash)"
               " JOIN aiaas.model m ON m.id = v.model"
               " WHERE m.name = '{model}' AND v.number = 1 ORDER BY k.seq")


def literal(text):
    return "'" + text.replace("'", "''") + "'"


#
# Measuring
#

def cpu_seconds(db):
    """What the main thread of a connection's server process has used so far."""
    with open(f"/proc/{db.pid}/schedstat") as file:
        return int(file.read().split()[0]) / 1e9


def quality(truth, predicted, probability):
    """scikit-learn's accuracy, macro F1 and log loss; probability of the true label."""
    labels = set(truth) | set(predicted)
    f1 = []
    for label in labels:
        both = sum(t == label == p for t, p in zip(truth, predicted))
        either = truth.count(label) + predicted.count(label)
        f1.append(2.0 * both / either)
    loss = -sum(math.log(max(p, EPSILON)) for p in probability) / len(truth)
    return {
        "accuracy": sum(t == p for t, p in zip(truth, predicted)) / len(truth),
        "macro_f1": sum(f1) / len(f1),
        "log_loss": loss,
    }


def load_rows(db, table, name, tested, side):
    db.execute(f"DROP TABLE IF EXISTS {table}")
    db.execute(f"CREATE TABLE {table} (label text, body text)")
    with open(data.set_path(name, data.BUILD), encoding="utf-8", newline="\n") as file:
        db.copy_in(f"COPY {table} FROM STDIN",
                   (line for line, is_test in zip(file, tested) if is_test == side))
    db.execute(f"VACUUM ANALYZE {table}")


def model_bytes(db, model):
    return b"".join(bytes.fromhex(row[0][2:])
                    for row in db.execute(MODEL_BYTES.format(model=model)))


def train(db, model, threads):
    """Seconds; the model is a new one."""
    db.execute(f"SET aiaas.threads = {threads}")
    seconds, _ = db.timed(TRAIN.format(model=model, table="train"))
    db.execute("SET aiaas.threads = 1")
    return seconds


def run_split(db, name, split):
    tested = data.load_split(name, split, data.BUILD)
    load_rows(db, "train", name, tested, False)
    load_rows(db, "test", name, tested, True)
    model = f"{name}_{split}"
    runs = []
    for run in range(N_TRAIN_RUNS):
        again = f"_again_{run}" if run > 0 else ""
        cpu = cpu_seconds(db)
        one_s = train(db, model + again, 1)
        one_cpu_s = cpu_seconds(db) - cpu
        runs.append((one_s, one_cpu_s, train(db, f"{model}_2{again}", 2)))
    train_s, train_cpu_s, train_2_s = (statistics.median(column) for column in zip(*runs))

    classify = f"SELECT ai_classify(body, '{model}') FROM test"
    db.execute(classify)
    times = [db.timed(classify)[0] for _ in range(N_CLASSIFY_RUNS)]
    rows = db.execute(f"SELECT label, ai_classify(body, '{model}'),"
                      f" coalesce((ai_scores(body, '{model}')->>label)::float8, 0) FROM test")
    truth, predicted, p = zip(*rows)
    content = model_bytes(db, model)
    return {
        "set": name, "split": split, "peer": US,
        "n_train": tested.count(False), "n_test": len(rows),
        **quality(truth, predicted, [float(x) for x in p]),
        "train_s": train_s, "train_cpu_s": train_cpu_s, "train_2_threads_s": train_2_s,
        "rows_per_s": len(rows) / min(times),
        "median_rows_per_s": len(rows) / statistics.median(times),
        "bytes": len(content),
        "same_with_2_threads": content == model_bytes(db, model + "_2"),
    }


def core_us(db, core_program, model, table, n_passes):
    """CPU microseconds per row of a table that the core alone takes, without a server."""
    with tempfile.TemporaryDirectory() as folder:
        model_file, texts_file = os.path.join(folder, "m"), os.path.join(folder, "t")
        with open(model_file, "wb") as file:
            file.write(model_bytes(db, model))
        with open(texts_file, "wb") as file:
            for (body,) in db.execute(f"SELECT body FROM {table}"):
                text = body.encode()
                file.write(struct.pack("=I", len(text)) + text)
        out = subprocess.run([core_program, model_file, texts_file, str(n_passes)],
                             check=True, stdout=subprocess.PIPE, text=True).stdout
    return 1e6 * float(out.split()[0])


def measure_overhead(db, core_program, name, split):
    """CPU microseconds per row: in SQL, of a trivial function in its place, in the core."""
    model = f"{name}_{split}"
    n_rows = int(db.execute("SELECT count(*) FROM test")[0][0])
    copies = math.ceil(N_OVERHEAD_ROWS / n_rows)
    db.execute("DROP TABLE IF EXISTS many")
    db.execute(f"CREATE TABLE many AS SELECT body FROM test, generate_series(1, {copies})")
    db.execute("VACUUM ANALYZE many")

    def per_row(expression):
        times = []
        for _ in range(N_OVERHEAD_RUNS):
            start = cpu_seconds(db)
            db.execute(f"SELECT count({expression}) FROM many")
            times.append(cpu_seconds(db) - start)
        return 1e6 * min(times) / (n_rows * copies)

    db.execute("SET max_parallel_workers_per_gather = 0")
    sql = per_row(f"ai_classify(body, '{model}')")
    trivial = per_row("length(body)")
    core = core_us(db, core_program, model, "many", N_OVERHEAD_RUNS)
    db.execute("DROP TABLE many")
    return {"sql_us": sql, "trivial_us": trivial, "core_us": core}


def measure_first_call(model, text):
    """Milliseconds of the first ai_classify of fresh connections."""
    times = []
    for _ in range(N_CONNECTIONS):
        with Connection() as db:
            times.append(1e3 * db.timed(f"SELECT ai_classify({literal(text)}, '{model}')")[0])
    return {"median_ms": statistics.median(times), "first_ms": times[0],
            "min_ms": min(times), "max_ms": max(times)}


def measure_create_extension(db):
    """Seconds; leaves the extension there."""
    times = []
    for _ in range(N_EXTENSION_RUNS):
        db.execute("DROP EXTENSION IF EXISTS aiaas")
        times.append(db.timed("CREATE EXTENSION aiaas")[0])
    return {"median_s": statistics.median(times), "first_s": times[0]}


def measure_cancel(control, name, train_s):
    """Milliseconds from pg_cancel_backend to the error, at some points of a run."""
    times = []
    for share in CANCEL_AT:
        with Connection() as db:
            db.execute("SET aiaas.threads = 1")
            db.send(TRAIN.format(model="cancelled", table="train"))
            time.sleep(share * train_s)
            start = time.perf_counter()
            control.execute(f"SELECT pg_cancel_backend({db.pid})")
            message = db.outcome()
            if "cancel" in message:
                times.append(1e3 * (time.perf_counter() - start))
            else:
                control.execute("SELECT ai_drop('cancelled')")
    return {"set": name, "max_ms": max(times), "times_ms": times}


#
# Judging
#

def mean(rows, key):
    values = [row[key] for row in rows if row[key] is not None]
    return sum(values) / len(values) if values else None


def median(rows, key):
    return statistics.median(row[key] for row in rows)


def summary(rows, peer):
    """One line of the table: a peer on a set, over its splits."""
    cpu = "" if peer == US else "cpu_"
    return {
        "peer": peer,
        "splits": len(rows),
        "accuracy": mean(rows, "accuracy"),
        "macro_f1": mean(rows, "macro_f1"),
        "log_loss": mean(rows, "log_loss"),
        "train_s": median(rows, f"train_{cpu}s"),
        "rows_per_s": median(rows, f"rows_per_{cpu}s"),
        "bytes": mean(rows, "bytes"),
    }


def judge_set(verdicts, name, us, ours, peers):
    """us: our line of the table; ours: its rows; peers: their lines by name."""
    goal = {key: max(peer[key] for peer in peers.values()) - 0.002
            for key in ("accuracy", "macro_f1")}
    good = [peer for peer in peers.values()
            if all(peer[key] >= goal[key] for key in goal)]
    chars = max(peer["rows_per_s"] for peer in peers.values()
                if peer["peer"].startswith(CHARS))
    sklearn = [peer for peer in peers.values() if peer["peer"].startswith("sklearn")]

    verdicts.at_least(name, "accuracy", us["accuracy"], goal["accuracy"], "{:.4f}")
    verdicts.at_least(name, "macro F1", us["macro_f1"], goal["macro_f1"], "{:.4f}")
    verdicts.at_most(name, "log loss", us["log_loss"], peers[LOGISTIC]["log_loss"], "{:.4f}")
    if good:
        fastest = min(good, key=lambda peer: peer["train_s"])
        verdicts.at_least(name, "training, times faster than " + fastest["peer"],
                          fastest["train_s"] / us["train_s"], 5.0, "{:.1f}")
    verdicts.at_least(name, "training, times faster with 2 threads",
                      median(ours, "train_s") / median(ours, "train_2_threads_s"), 1.6,
                      "{:.2f}")
    verdicts.at_least(name, "classifying, times fastText's rate with characters",
                      us["rows_per_s"] / chars, 5.0, "{:.1f}")
    verdicts.at_least(name, "classifying, times scikit-learn's rate",
                      us["rows_per_s"] / max(peer["rows_per_s"] for peer in sklearn), 20.0,
                      "{:.1f}")
    verdicts.at_most(name, "model, MB", us["bytes"] / 1e6,
                     min(peer["bytes"] for peer in sklearn) / 1e6, "{:.2f}")


def judge_calls(verdicts, found):
    for name, times in found["overhead"].items():
        verdicts.at_most(name, "SQL per row less a trivial function's, us",
                         times["sql_us"] - times["trivial_us"],
                         1.1 * times["core_us"] + 0.5, "{:.2f}")
    if "first_call" in found:
        verdicts.at_most("sms", "first call of a connection, ms",
                         found["first_call"]["median_ms"], 10.0, "{:.1f}")
    verdicts.at_most("", "CREATE EXTENSION, s", found["create_extension"]["median_s"],
                     1.0, "{:.3f}")
    for cancel in found["cancel"]:
        verdicts.at_most(cancel["set"], "cancelling a training run, ms",
                         cancel["max_ms"], 100.0, "{:.1f}")


#
# Printing
#

def cell(form, value):
    return "-" if value is None else form.format(value)


def print_set(name, lines):
    us = lines[0]
    print(f"\n{name}")
    print(f"  {'':24} splits accuracy macro F1 log loss   train s   ratio"
          f"     rows/s   ratio       MB")
    for line in lines:
        print(f"  {line['peer']:24} {line['splits']:6} {line['accuracy']:8.4f} "
              f"{line['macro_f1']:8.4f} {cell('{:.4f}', line['log_loss']):>8} "
              f"{line['train_s']:9.2f} {line['train_s'] / us['train_s']:7.1f} "
              f"{line['rows_per_s']:10.0f} {us['rows_per_s'] / line['rows_per_s']:7.1f} "
              f"{line['bytes'] / 1e6:8.2f}")


def print_environment(found, environment):
    print(f"{environment['cpu']}, {environment['cores']} cores; {found['server']}")
    print(", ".join(f"{key} {environment[key]}" for key in
                    ("python", "scikit-learn", "numpy", "scipy", "fasttext-wheel")))
    print("; ".join(environment["blas"]))
    print("peers: 1 thread, CPU time; aiaas: 1 thread, time of the whole statement; "
          "rows/s: best of some runs; ratio: times faster than the peer")


def print_report(found, peer_file):
    print_environment(found, peer_file["environment"])
    verdicts = Verdicts()
    for name in data.SETS:
        ours = [row for row in found["results"] if row["set"] == name]
        if not ours:
            continue
        splits = {row["split"] for row in ours}
        theirs = {}
        for row in peer_file["results"]:
            if row["set"] == name and row["split"] in splits:
                theirs.setdefault(row["peer"], []).append(row)
        us = summary(ours, US)
        peers = {peer: summary(rows, peer) for peer, rows in theirs.items()}
        print_set(name, [us, *peers.values()])
        print(f"  {US}: training takes {median(ours, 'train_cpu_s'):.2f} s of CPU time, "
              f"{median(ours, 'train_2_threads_s'):.2f} s with 2 threads"
              f" (same model: {all(row['same_with_2_threads'] for row in ours)}); "
              f"median rate {median(ours, 'median_rows_per_s'):.0f} rows/s")
        if set(PEERS) <= set(peers):
            judge_set(verdicts, name, us, ours, peers)
        else:
            print("  not compared: results of peers are missing")
    judge_calls(verdicts, found)

    print("\nper row, CPU microseconds      SQL   length()   core")
    for name, times in found["overhead"].items():
        print(f"  {name:24} {times['sql_us']:8.2f} {times['trivial_us']:10.2f} "
              f"{times['core_us']:6.2f}")
    verdicts.print()


def run_peers(name, split, out):
    """What is missing of the peers' results, just before ours: a shared machine changes its pace."""
    here = os.path.dirname(os.path.abspath(__file__))
    subprocess.run([sys.executable, os.path.join(here, "peers.py"), "--sets", name,
                    "--splits", str(split), "--out", out], check=True)


def measure(options):
    with Connection() as db:
        found = {"server": db.execute("SELECT version()")[0][0].split(" on ")[0],
                 "create_extension": measure_create_extension(db),
                 "results": [], "overhead": {}, "cancel": []}
        db.execute("SET aiaas.threads = 1")
        for name in options.sets:
            for split in options.splits:
                run_peers(name, split, options.peers)
                row = run_split(db, name, split)
                found["results"].append(row)
                print(f"{name} {split} accuracy {row['accuracy']:.4f} "
                      f"macro F1 {row['macro_f1']:.4f} train {row['train_s']:.2f} s "
                      f"{row['rows_per_s']:.0f} rows/s", file=sys.stderr, flush=True)
            found["overhead"][name] = measure_overhead(db, options.core_program, name, split)
            if name == "sms":
                text = db.execute("SELECT body FROM test LIMIT 1")[0][0]
                found["first_call"] = measure_first_call(f"sms_{split}", text)
            if name in CANCEL_SETS:
                found["cancel"].append(measure_cancel(db, name, row["train_s"]))
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--core-program", required=True, help="core_text.c, built")
    parser.add_argument("--peers", default=os.path.join(data.BUILD, "peers.json"))
    parser.add_argument("--out", default=os.path.join(data.BUILD, "text.json"))
    parser.add_argument("--sets", nargs="+", default=data.SETS, choices=data.SETS)
    parser.add_argument("--splits", type=int, nargs="+", default=range(data.N_SPLITS))
    parser.add_argument("--report", action="store_true", help="print --out again")
    options = parser.parse_args()

    if not options.report:
        found = measure(options)
        with open(options.out, "w") as file:
            json.dump(found, file, indent=1)
    with open(options.out) as file, open(options.peers) as peers:
        print_report(json.load(file), json.load(peers))


if __name__ == "__main__":
    main()
