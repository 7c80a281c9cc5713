#!/usr/bin/env python3
"""What batching costs and gains: a node that does nothing, texts, workers, sessions.

Expects a server to connect to by PGHOST and PGDATABASE, with an empty database and the
extension at hand.  With --no-op it has to be one whose library was built for tests, in
which every function can be batched: then a trivial function stands for the model.
"""

import argparse
import contextlib
import os
import platform
import statistics
import threading
import time

import data
from pq import Connection
from text import core_us, cpu_seconds
from verdicts import Verdicts

N_RUNS = 7                      # of the no-op
N_PAIRS = 15                    # of texts
NARROW_ROWS = 2000000
WIDE_ROWS = 400000
COPIES = 20                     # of the messages, one after the other
SESSIONS = 2

SERIAL = "SET max_parallel_workers_per_gather = 0"
PARALLEL = ("SET max_parallel_workers_per_gather = 2; SET parallel_leader_participation = off;"
            " SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0;"
            " SET min_parallel_table_scan_size = 0")
CLASSIFY = "SELECT count(ai_classify(body, 'sms')) FROM many"


def best(measure, *variants):
    """The least of some runs of each variant, which take turns."""
    times = [[measure(variant) for variant in variants] for _ in range(N_RUNS)]
    return [min(column) for column in zip(*times)]


def times_faster(measure, slow, fast):
    """The median of how many times faster the second is, each pair in turn: the pace of a
    shared machine changes from one second to the next."""
    return statistics.median(measure(slow) / measure(fast) for _ in range(N_PAIRS))


def cpu_of(db, setting, query):
    db.execute(setting)
    start = cpu_seconds(db)
    db.execute(query)
    return cpu_seconds(db) - start


#
# A model that does nothing
#

def added_ns(db, query, n_rows):
    without, batched = best(lambda setting: cpu_of(db, setting, query),
                            "SET aiaas.debug_batch_all = off", "SET aiaas.debug_batch_all = on")
    plan = str(db.execute("EXPLAIN " + query))
    assert "BatchProject" in plan, plan
    print(f"  {query}\n    {1e9 * without / n_rows:.0f} ns a row, "
          f"batched {1e9 * batched / n_rows:.0f} ns", flush=True)
    return 1e9 * (batched - without) / n_rows


def measure_no_op(db, verdicts):
    db.execute("LOAD 'aiaas'")
    db.execute(SERIAL)
    db.execute("SET jit = off")
    db.execute(f"CREATE TABLE narrow AS SELECT i::int AS id, (i % 100)::int AS k"
               f" FROM generate_series(1, {NARROW_ROWS}) i")
    db.execute(f"CREATE TABLE wide AS SELECT i::int AS id, repeat(md5(i::text), 30) AS body"
               f" FROM generate_series(1, {WIDE_ROWS}) i")
    db.execute("VACUUM ANALYZE")
    # OFFSET reads all rows and sends none.
    verdicts.at_most("no-op", "added to a row of a narrow table, ns",
                     added_ns(db, f"SELECT id, int4abs(k) FROM narrow OFFSET {NARROW_ROWS}",
                              NARROW_ROWS), 60, "{:.0f}")
    verdicts.at_most("no-op", "added to a row with a column of 960 bytes, ns",
                     added_ns(db, f"SELECT id, body, int4abs(id) FROM wide OFFSET {WIDE_ROWS}",
                              WIDE_ROWS), 120, "{:.0f}")


#
# Texts
#

def prepare(db):
    db.execute("CREATE EXTENSION aiaas")
    db.execute("CREATE TABLE sms (label text, body text)")
    with open(data.set_path("sms", data.BUILD), encoding="utf-8", newline="\n") as file:
        db.copy_in("COPY sms FROM STDIN", file)
    db.execute("SELECT * FROM ai_train('sms', 'SELECT label, body FROM sms', 'label')")
    db.execute("CREATE TABLE many (body text)")
    for _ in range(COPIES):
        db.execute("INSERT INTO many SELECT body FROM sms")
    db.execute("VACUUM ANALYZE many")
    return int(db.execute("SELECT count(*) FROM many")[0][0])


def measure_rate(db, core_program, n_rows, verdicts):
    db.execute(SERIAL)
    db.execute("SET aiaas.threads = 1")
    db.execute(CLASSIFY)

    def measure(variant):
        if variant == "core":
            return n_rows * core_us(db, core_program, "sms", "many", 1) / 1e6
        return cpu_of(db, f"SET aiaas.batch = {variant}", CLASSIFY)

    times = [[measure(variant) for variant in ("core", "on", "off")] for _ in range(N_PAIRS)]
    core, batched, single = (statistics.median(column) for column in zip(*times))
    scan = statistics.median(cpu_of(db, "SET aiaas.batch = on", "SELECT count(length(body)) FROM many")
                             for _ in range(N_PAIRS))
    print(f"texts: core {n_rows / core:.0f} rows/s, batched {n_rows / batched:.0f}, "
          f"row by row {n_rows / single:.0f}; the scan with length() alone takes "
          f"{100 * scan / core:.0f} % of the core's time")
    verdicts.at_least("texts", "rate of a plain scan, % of the core's",
                      100 * statistics.median(a / b for a, b, _ in times), 90, "{:.0f}")


def measure_workers(db, verdicts):
    def measure(setting):
        db.execute(setting)
        return db.timed(CLASSIFY)[0]

    db.execute("SET aiaas.batch = on; SET aiaas.threads = 1")
    verdicts.at_least("texts", "two workers without the leader, times the serial plan",
                      times_faster(measure, SERIAL, PARALLEL), 1.7, "{:.2f}")
    db.execute(SERIAL)
    ratio = times_faster(measure, "SET aiaas.threads = 1", "SET aiaas.threads = 2")
    print(f"texts: two threads in one session are {ratio:.2f} times one")


def run_at_once(connections):
    """Seconds until all of them have classified all rows"""
    threads = [threading.Thread(target=db.execute, args=(CLASSIFY,)) for db in connections]
    start = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.perf_counter() - start


def measure_sessions(verdicts):
    with contextlib.ExitStack() as stack:
        connections = [stack.enter_context(Connection()) for _ in range(SESSIONS)]
        for db in connections:
            db.execute(SERIAL)
            db.execute(CLASSIFY)

        def measure(n_sessions):
            connections[0].execute(f"SET aiaas.threads = {n_sessions}")
            return run_at_once(connections[:n_sessions])

        ratio = SESSIONS * times_faster(measure, 1, SESSIONS)
    verdicts.at_least("texts", f"{SESSIONS} sessions at once, times one session with one thread",
                      ratio, 0.85 * SESSIONS, "{:.2f}")


def print_environment(db):
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        cpu = next((line.split(":")[1].strip() for line in file if line.startswith("model name")),
                   platform.machine())
    print(f"{cpu}, {os.cpu_count()} cores; {db.execute('SELECT version()')[0][0].split(' on ')[0]}; "
          f"CPU time of one thread unless said; texts: medians of {N_PAIRS}, which take turns", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--no-op", action="store_true")
    parser.add_argument("--core-program")
    options = parser.parse_args()
    verdicts = Verdicts()
    with Connection() as db:
        print_environment(db)
        if options.no_op:
            measure_no_op(db, verdicts)
        else:
            n_rows = prepare(db)
            measure_rate(db, options.core_program, n_rows, verdicts)
            measure_workers(db, verdicts)
            measure_sessions(verdicts)
    verdicts.print()


if __name__ == "__main__":
    main()
