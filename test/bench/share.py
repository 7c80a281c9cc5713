#!/usr/bin/env python3
"""What many connections share: memory, first calls, throughput, and what rights cost.

Expects a server to connect to by PGHOST and PGDATABASE, with an empty database, the
extension at hand and room for 120 connections; and the right to read /proc of its
processes.  The large model has all n-grams of up to 8 characters and 5 words of the
tweets, and of noise, as many as make 100 MB.
"""

import argparse
import glob
import os
import platform
import re
import statistics
import subprocess
import tempfile

import data
from pq import Connection
from verdicts import Verdicts

N_SHARING = 50                  # connections
N_TEXTS = 200                   # that each of them classifies
N_CONNECTIONS = 21              # of whose first calls the median is taken
N_BUILDS = 5
N_ROWS = 100000                 # for what a row costs
N_RUNS = 7
FEW, MANY = 4, 100              # clients of pgbench
SHORT = 30                      # seconds of all its runs but the longest
PAGE = 20                       # texts that one of them reads at once

LARGE = ('{"word_ngrams": 5, "char_ngrams": [1, 8], "min_count": 1, "max_features": 4500000,'
         ' "l2": 1, "validation": 0.05}')
MB = 1024 * 1024


def literal(text):
    return "'" + text.replace("'", "''") + "'"


#
# Models
#

def load(db, name):
    db.execute(f"CREATE TABLE {name} (id serial, label text, body text)")
    with open(data.set_path(name, data.BUILD), encoding="utf-8", newline="\n") as file:
        db.copy_in(f"COPY {name} (label, body) FROM STDIN", file)
    db.execute(f"CREATE INDEX ON {name} (id)")
    db.execute(f"VACUUM ANALYZE {name}")


def add_noise(db):
    """A table of the tweets and of rows whose words are found nowhere else"""
    db.execute("CREATE TABLE noisy AS SELECT label, body FROM tweets UNION ALL"
               " SELECT 'neutral', (SELECT string_agg(substr(md5(i || '.' || j), 1, 8), ' ')"
               " FROM generate_series(1, 40) j) FROM generate_series(1, 4000) i")


def train(db, model, table, options="{}"):
    seconds, _ = db.timed(f"SELECT version FROM ai_train('{model}', "
                          f"'SELECT label, body FROM {table}', 'label', options => '{options}')")
    size = int(db.execute(f"SELECT bytes FROM ai_models WHERE name = '{model}'")[0][0])
    print(f"model {model}: {size / MB:.1f} MB, trained in {seconds:.0f} s", flush=True)
    return size


def cache_file(db, model, folder):
    digest = db.execute(f"SELECT ai_describe('{model}')->>'hash'")[0][0]
    return glob.glob(os.path.join(folder, "base/pgsql_tmp/pgsql_tmp_aiaas", digest + "-*"))


#
# Memory
#

def memory(pid):
    """(private, proportional) bytes of a process"""
    found = {}
    with open(f"/proc/{pid}/smaps_rollup") as file:
        for line in file:
            field = re.match(r"(\w+):\s+(\d+) kB", line)
            if field:
                found[field[1]] = 1024 * int(field[2])
    return found["Private_Clean"] + found["Private_Dirty"], found["Pss"]


def measure_memory(db, model):
    """Bytes that one of many connections has of its own, and that all have together."""
    texts = f"SELECT body FROM tweets WHERE id % 150 = {{}} LIMIT {N_TEXTS}"
    connections = [Connection() for _ in range(N_SHARING)]
    for connection in connections:
        connection.execute("SELECT count(*) FROM (" + texts.format(0) + ") t")
    before = [memory(connection.pid) for connection in connections]
    for i, connection in enumerate(connections):
        connection.execute(f"SELECT count(ai_classify(body, '{model}'))"
                           f" FROM ({texts.format(i)}) t")
    after = [memory(connection.pid) for connection in connections]
    backends = int(db.execute(f"SELECT backends FROM ai_loaded WHERE model = '{model}'")[0][0])
    for connection in connections:
        connection.__exit__()
    assert backends == N_SHARING
    private = [a[0] - b[0] for a, b in zip(after, before)]
    return {"private_max": max(private), "private_median": statistics.median(private),
            "together": sum(a[1] - b[1] for a, b in zip(after, before))}


#
# First calls
#

def first_call(model):
    with Connection() as db:
        return 1e3 * db.timed(f"SELECT ai_classify('free prize, call now', '{model}')")[0]


def measure_first_calls(db, model, folder):
    """Milliseconds: with the file there, and when it must be built"""
    first_call(model)
    found = [first_call(model) for _ in range(N_CONNECTIONS)]
    built = []
    for _ in range(N_BUILDS):
        for path in cache_file(db, model, folder):
            os.unlink(path)
        built.append(first_call(model))
    return {"found": statistics.median(found), "built": statistics.median(built)}


#
# Many clients
#

def run_pgbench(n_clients, seconds, script):
    """Transactions per second, and the most private memory that all backends had, early and late."""
    process = subprocess.Popen(
        ["pgbench", "-n", "-c", str(n_clients), "-j", "2", "-T", str(seconds),
         "-M", "prepared", "-f", script], stdout=subprocess.PIPE, text=True)
    peaks = []
    for share in (0.25, 0.9):
        try:
            process.wait(timeout=seconds * (share - (0.25 if peaks else 0)))
        except subprocess.TimeoutExpired:
            pass
        peaks.append(backend_memory())
    out = process.communicate()[0]
    failed = re.search(r"failed transactions: (\d+)", out)
    return {"tps": float(re.search(r"tps = ([\d.]+)", out)[1]),
            "failed": int(failed[1]) if failed else 0, "status": process.returncode,
            "memory": peaks}


def backend_memory():
    with Connection() as db:
        pids = [row[0] for row in db.execute(
            "SELECT pid FROM pg_stat_activity WHERE application_name = 'pgbench'")]
    total = 0
    for pid in pids:
        try:
            total += memory(pid)[0]
        except (FileNotFoundError, ProcessLookupError):
            pass                # it has ended
    return total

CLIENT_SCRIPTS = {
    "page": f"SELECT ai_classify(body, 'sms') FROM sms WHERE id BETWEEN :n AND :n + {PAGE - 1}",
    "text": "SELECT ai_classify(body, 'sms') FROM sms WHERE id = :n",
    "length": "SELECT length(body) FROM sms WHERE id = :n",
}


def measure_clients(db, seconds):
    """Runs of pgbench by script and number of clients; length() shows what the server itself loses."""
    n_rows = db.execute("SELECT count(*) FROM sms")[0][0]
    found = {}
    for name, statement in CLIENT_SCRIPTS.items():
        with tempfile.NamedTemporaryFile("w", suffix=".sql") as script:
            script.write(f"\\set n random(1, {n_rows})\n{statement};\n")
            script.flush()
            found[name] = {FEW: run_pgbench(FEW, min(seconds, SHORT), script.name),
                           MANY: run_pgbench(MANY, seconds if name == "page" else
                                             min(seconds, SHORT), script.name)}
    return found


#
# Rights, pins and limits
#

def measure_rows(db, model):
    """Microseconds per row: as superuser, through a granted role, with a pin, with a limit"""
    db.execute(f"CREATE TABLE many AS SELECT body FROM sms, generate_series(1, 100) LIMIT {N_ROWS}")
    db.execute("VACUUM ANALYZE many")
    db.execute("CREATE ROLE readers")
    db.execute("CREATE ROLE reader IN ROLE readers")
    db.execute("GRANT SELECT ON many TO readers")
    db.execute(f"SELECT ai_grant('{model}', 'readers', 'use')")
    pin = db.execute(f"SELECT ai_pin('{model}')")[0][0]
    ways = {
        "superuser": ("", f"ai_classify(body, '{model}')"),
        "granted": ("SET LOCAL ROLE reader", f"ai_classify(body, '{model}')"),
        "pinned": ("", f"ai_classify_pinned(body, '{pin}')"),
        "limited": ("SET LOCAL aiaas.max_input_bytes = '10MB'", f"ai_classify(body, '{model}')"),
    }
    db.execute("SET max_parallel_workers_per_gather = 0")
    times = {way: [] for way in ways}
    for _ in range(N_RUNS):
        for way, (setting, call) in ways.items():
            db.execute("BEGIN")
            if setting:
                db.execute(setting)
            times[way].append(db.timed(f"SELECT count({call}) FROM many")[0])
            db.execute("ROLLBACK")
    return {way: 1e6 * min(seconds) / N_ROWS for way, seconds in times.items()}


#
# Report
#

def judge(found):
    verdicts = Verdicts()
    share, clients, rows = found["memory"], found["clients"]["page"], found["rows"]

    verdicts.at_most("memory", f"of each of {N_SHARING} connections over an idle one, MB",
                     share["private_max"] / MB, 5.0, "{:.1f}")
    verdicts.at_most("memory", "of all together, MB: 1.1 copies and what each has",
                     share["together"] / MB,
                     (1.1 * found["large_bytes"] + N_SHARING * share["private_max"]) / MB, "{:.0f}")
    for model in ("sms", "large"):
        first = found["first_" + model]
        verdicts.at_most(model, "first call of a connection, ms", first["found"], 10.0, "{:.1f}")
        verdicts.at_most(model, "first call when the file must be built, ms", first["built"],
                         20 + 2 * found[model + "_bytes"] / MB, "{:.0f}")
    verdicts.at_least("clients", f"throughput of {MANY} by that of {FEW}, {PAGE} texts at a time",
                      clients[MANY]["tps"] / clients[FEW]["tps"], 0.9, "{:.2f}")
    verdicts.at_most("clients", "transactions that failed",
                     clients[FEW]["failed"] + clients[MANY]["failed"] +
                     abs(clients[FEW]["status"]) + abs(clients[MANY]["status"]), 0, "{}")
    early, late = clients[MANY]["memory"]
    verdicts.at_most("clients", f"memory of {MANY}, late by early", late / early, 1.05, "{:.2f}")
    for way in ("granted", "pinned", "limited"):
        verdicts.at_most("rights", f"a row {way} beyond a superuser's, us",
                         rows[way] - rows["superuser"], 1.0, "{:.2f}")
    verdicts.print()


def cpu_name():
    with open("/proc/cpuinfo") as file:
        for line in file:
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data-directory", required=True, help="of the server")
    parser.add_argument("--seconds", type=int, default=60,
                        help=f"of the run of pgbench with {MANY} clients")
    options = parser.parse_args()

    with Connection() as db:
        db.execute("CREATE EXTENSION aiaas")
        version = db.execute("SELECT version()")[0][0].split(" on ")[0]
        print(f"{cpu_name()}, {os.cpu_count()} cores; {version}", flush=True)
        load(db, "sms")
        load(db, "tweets")
        add_noise(db)
        db.execute("SET aiaas.max_train_memory = '20GB'")
        found = {"sms_bytes": train(db, "sms", "sms"),
                 "large_bytes": train(db, "large", "noisy", LARGE)}
        for model in ("sms", "large"):
            found["first_" + model] = measure_first_calls(db, model, options.data_directory)
        found["memory"] = measure_memory(db, "large")
        print(f"{N_SHARING} connections: private memory {found['memory']['private_median'] / MB:.1f}"
              f" MB (median), {found['memory']['private_max'] / MB:.1f} MB (most)", flush=True)
        found["clients"] = measure_clients(db, options.seconds)
        for name, runs in found["clients"].items():
            for n, run in runs.items():
                print(f"{name:6} {n:3} clients: {run['tps']:.0f} transactions per second, "
                      f"{run['memory'][0] / MB:.0f} MB early, {run['memory'][1] / MB:.0f} MB late",
                      flush=True)
        found["rows"] = measure_rows(db, "sms")
        print("per row, us: " + ", ".join(f"{way} {us:.2f}" for way, us in found["rows"].items()))
    judge(found)


if __name__ == "__main__":
    main()
