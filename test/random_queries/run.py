#!/usr/bin/env python3
"""Compare random scripts with batching and without.

usage: run.py [--queries N] [--seed S] [--only I] [--jobs J] [--server-functions] PLACE

Script I of a seed is always the same.  Each runs twice on the same rows: what it returns
must be the same, and so must be what it leaves behind and how it fails.  The databases
random_1, random_2, ..., one for each job, have been made by setup.sql; PLACE is a folder
that the server may write to.  With --server-functions the calls are of functions of the
server, which aiaas.debug_batch_all batches.

Two things may differ, and are counted.  An error of an expression that is no call may come
earlier under something that stops early: a limit, a cursor, a semi join.  And where two
rows of a statement fail, it may be the other one that is reported.
"""

import argparse
import collections
import multiprocessing
import random
import re
import sys
import time

from calls import OfModels, OfServer
from choices import Choices, smaller
from scripts import Scripts
from session import Lost, Session

STOPS_EARLY = re.compile(r"Limit|Merge |Semi Join|Anti Join|SubPlan|InitPlan|Run Condition|Memoize")
# of expressions that are planted to fail; with functions of the server they are calls or not
PLAIN_ERRORS = ("22012",)
ERRORS_OF_FUNCTIONS = ("22012", "22011", "2201E", "2201F", "54000", "22003", "22023")
# of rows that a model refuses
ERRORS_OF_MODELS = ("22023", "42704", "42602", "54000")
TOO_LONG = "57014"
VACUUM_EVERY = 400


class Difference(Exception):
    def __init__(self, number, on, off):
        super().__init__()
        self.number = number        # of the statement
        self.on = on
        self.off = off


class Runner:
    def __init__(self, options, job):
        self.options = options
        self.place = f"{options.place}/copy_{job}"
        self.session = Session(f"random_{job + 1}", [
            "LOAD 'aiaas'", "SET client_min_messages = error", "SET aiaas.default_classifier = 'm1'", "SET statement_timeout = '20s'", "SET jit = off",
            "SET synchronize_seqscans = off"])
        session = self.session
        self.pin = session.execute("SELECT ai_pin('m1')")[0][0]
        if options.server_functions:
            session.execute("SET aiaas.debug_batch_all = on")
        self.is_debug = bool(session.execute("SELECT FROM pg_settings WHERE name = 'aiaas.debug_batch_all'"))
        self.parallel = session.execute(
            "SELECT name FROM pg_settings WHERE name IN ('force_parallel_mode', 'debug_parallel_query')")[0][0]
        self.counts = collections.Counter()

    def script(self, choices):
        calls = OfServer() if self.options.server_functions else OfModels(self.pin)
        return Scripts(choices, calls, self.place, self.is_debug).make()

    def sql(self, text, batch):
        return text.replace("{batch}", batch).replace("{parallel}", self.parallel)

    def begin(self, script, batch):
        settings = script.settings + [("aiaas.batch", "{batch}")]
        outcome = self.session.attempt(self.sql(
            "BEGIN; SELECT setval('ticks', 1, false); " +
            "; ".join(f"SET LOCAL {name} = {value}" for name, value in settings), batch))
        if outcome.error:
            sys.exit(f"{outcome.error}: {settings}")

    def end(self, script):
        for statement in ["ROLLBACK"] + script.cleanup:
            self.session.attempt(statement)

    def run(self, script, batch):
        self.begin(script, batch)
        outcomes = [self.session.attempt(self.sql(x, batch)) for x in script.statements + script.effects]
        self.end(script)
        return outcomes

    def explain(self, script, number, batch):
        """The plan of a statement, where it has one"""
        self.begin(script, batch)
        statements = (script.statements + script.effects)[:number + 1]
        for statement in statements[:-1]:
            self.session.attempt(self.sql(statement, batch))
        last = re.sub(r"^DECLARE c .*?CURSOR (WITH HOLD )?FOR |^(FETCH|MOVE) .*", "", statements[-1])
        last = re.sub(r"^COPY \((.*)\) TO '[^']*'$", r"\1", last)
        outcome = self.session.attempt(f"EXPLAIN (VERBOSE, COSTS OFF) {self.sql(last, batch)}")
        self.end(script)
        return [] if outcome.error else [row[0] for row in outcome.rows]

    def is_early(self, script, number, on):
        """Is this an error that may come earlier?"""
        allowed = ERRORS_OF_FUNCTIONS if self.options.server_functions else PLAIN_ERRORS
        if not script.may_fail or not on.error or on.error[0] not in allowed:
            return False
        return script.stops_early or any(STOPS_EARLY.search(x) for x in self.explain(script, number, "off"))

    def is_other_row(self, script, on, off):
        allowed = PLAIN_ERRORS + (ERRORS_OF_FUNCTIONS if self.options.server_functions else ERRORS_OF_MODELS)
        return script.may_fail and all(x.error and x.error[0] in allowed for x in (on, off))

    def compare(self, script):
        """Raises Difference; counts how the script ended"""
        off, on = self.run(script, "off"), self.run(script, "on")
        errors = [x.error[0] for x in off + on if x.error]
        if TOO_LONG in errors:
            return "took too long"
        for number, (a, b) in enumerate(zip(on, off)):
            if a.error == b.error and a.tag == b.tag and (
                    a.rows == b.rows if script.is_ordered else sorted(map(repr, a.rows)) == sorted(map(repr, b.rows))):
                continue
            if self.is_early(script, number, a):
                return "failed earlier, as it may"
            if self.is_other_row(script, a, b):
                return "failed for another row, as it may"
            raise Difference(number, a, b)
        if any(x.startswith("42") and x not in ERRORS_OF_MODELS for x in errors):
            if self.options.show:
                print(next(x.error for x in off if x.error and x.error[0].startswith("42")))
            return "are not valid"
        return "failed" if errors else "succeeded"

    def compare_twice(self, script):
        """A crash may be another job's."""
        try:
            return self.compare(script)
        except Lost:
            self.session.reconnect()
            return self.compare(script)

    def is_wrong(self, made):
        try:
            self.compare(self.script(Choices(given=made)))
        except Difference:
            return True
        except Lost:
            self.session.reconnect()
            return True
        return False

    def report(self, index, choices):
        made = smaller(choices.made, self.is_wrong, self.options.minimise)
        script = self.script(Choices(given=made))
        lines = [f"not ok script {index} of seed {self.options.seed}"]
        lines += [f"    SET LOCAL {self.sql(name, '')} = {value};" for name, value in script.settings]
        try:
            self.compare(script)
            lines.append("    (it does not differ any more when it is run again)")
            script = self.script(Choices(given=choices.made))
            lines += [f"    {x};" for x in script.statements]
        except Lost:
            self.session.reconnect()
            lines += [f"    {x};" for x in script.statements] + ["  the server crashed"]
        except Difference as wrong:
            lines += [f"    {x};" for x in (script.statements + script.effects)[:wrong.number + 1]]
            for batch, outcome in (("off", wrong.off), ("on", wrong.on)):
                lines.append(f"  aiaas.batch = {batch}:")
                lines += [f"    {x}" for x in outcome.lines()]
                lines += [f"      {x}" for x in self.explain(script, wrong.number, batch)]
        print("\n".join(lines), flush=True)

    def check(self, index):
        choices = Choices(random.Random(f"{self.options.seed}/{index}"))
        script = self.script(choices)
        if self.options.show:
            print(f"-- {index}\n" + "".join(f"SET LOCAL {n} = {v};\n" for n, v in script.settings) +
                  "".join(f"{x};\n" for x in script.statements + script.effects))
        try:
            self.counts[self.compare_twice(script)] += 1
            return True
        except (Difference, Lost) as wrong:
            if isinstance(wrong, Lost):
                self.session.reconnect()
            self.counts["differ"] += 1
            if self.counts["differ"] <= self.options.reports:
                self.report(index, choices)
            else:
                print(f"not ok script {index} of seed {self.options.seed}", flush=True)
            return False

    def is_batched(self, index):
        script = self.script(Choices(random.Random(f"{self.options.seed}/{index}")))
        return any("BatchProject" in x for x in self.explain(script, len(script.statements) - 1, "on"))


def work(options, job, results):
    runner = Runner(options, job)
    indexes = [options.only] if options.only is not None else range(job, options.queries, options.jobs)
    for n, index in enumerate(indexes):
        runner.check(index)
        if n % 20 == 0:
            runner.counts["were asked for their plan"] += 1
            runner.counts["have batches in it"] += runner.is_batched(index)
        if n % VACUUM_EVERY == VACUUM_EVERY - 1:
            runner.session.execute("VACUUM")
        if runner.counts["differ"] >= options.give_up:
            break
    results.put(runner.counts)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--queries", type=int, default=1000)
    parser.add_argument("--seed", default="1")
    parser.add_argument("--only", type=int, help="run this script only")
    parser.add_argument("--jobs", type=int, default=multiprocessing.cpu_count())
    parser.add_argument("--server-functions", action="store_true")
    parser.add_argument("--show", action="store_true", help="print the scripts")
    parser.add_argument("--minimise", type=int, default=400, help="how many attempts to make a script smaller")
    parser.add_argument("--reports", type=int, default=5, help="how many differences to show, for each job")
    parser.add_argument("--give-up", type=int, default=50, help="after so many differences of a job")
    parser.add_argument("place")
    options = parser.parse_args()
    if options.only is not None:
        options.jobs = 1

    start = time.time()
    results = multiprocessing.Queue()
    jobs = [multiprocessing.Process(target=work, args=(options, job, results)) for job in range(options.jobs)]
    for job in jobs:
        job.start()
    for job in jobs:
        job.join()
    counts = collections.Counter()
    while not results.empty():
        counts.update(results.get())
    failed = any(job.exitcode != 0 for job in jobs) or counts["differ"] > 0
    ended = [f"{n} {how}" for how, n in sorted(counts.items())]
    print(f"# {time.time() - start:.0f} s: {', '.join(ended)}")
    n_run = sum(n for how, n in counts.items() if "plan" not in how and "have" not in how)
    print(f"{'not ok' if failed else 'ok'} {n_run} random queries, seed {options.seed}: {counts['differ']} differences")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
