#!/usr/bin/env python3
"""Compare hooked runs of the server's test suites with unhooked ones.

usage: compare.py FOLDER WAY...

FOLDER/WAY/hooked-1, unhooked-1 and perhaps unhooked-2 hold regress/*.out and
isolation/*.out; WAY "one" (batches of one row) is compared with the unhooked runs of
"plain".

The outputs are taken apart into statements: by the marks of psql --single-step, and by
the steps of isolationtester.  What a statement printed must be the same, byte for byte,
but for statements that print a plan, which are those that begin with EXPLAIN and those
that call a function which was created in the same test and runs EXPLAIN.  There the
messages must be the same, and so must be the plan's nodes without ours.

What differs between two unhooked runs is named and not judged.  Counted, too, is a
statement whose text holds another number or time, which it has from an earlier result.
"""

import os
import re
import sys

BEGIN = "***(Single step mode: verify command)"
END = "***(press return to proceed"
NODE = "BatchProject"

MESSAGE = re.compile(r"^(psql: |s\w*: )?"
                     r"(PANIC|FATAL|ERROR|WARNING|NOTICE|INFO|LOG|DEBUG|DETAIL|HINT|CONTEXT|QUERY|LINE \d+): ?")
COMMENTS = re.compile(r"\A(\s+|--[^\n]*\n|/\*.*?\*/)+", re.S)
CREATES = re.compile(r"\bcreate\s+(?:or\s+replace\s+)?(?:function|procedure)\s+(?:\w+\.)?(\w+)", re.I)
RUNS_EXPLAIN = re.compile(r"explain", re.I)
SHOWN_PER_TEST = 5


def read_lines(folder, part, name):
    """
    Lines of a result, without what has to differ: the folder of the run, and the line
    that psql has got to in its file when a message comes.
    """
    with open(os.path.join(folder, part, "folder"), encoding="utf-8") as f:
        places = f.read().split()
    with open(os.path.join(folder, part, name), encoding="utf-8", errors="surrogateescape", newline="\n") as f:
        text = f.read()
    for place in places:
        text = text.replace(place, "RUN")
    return re.sub(r"(?m)^psql:\S+:\d+: ", "psql: ", text).split("\n")


def split_regress(lines):
    """[(statement, its output as lines)]; the first statement is what came before any."""
    found, statement, output = [], [], []
    in_statement = False
    for line in lines:
        if line.startswith(BEGIN):
            found.append(("\n".join(statement), output))
            statement, output, in_statement = [], [], True
        elif in_statement and line.startswith(END):
            in_statement = False
        else:
            (statement if in_statement else output).append(line)
    found.append(("\n".join(statement), output))
    return found


def split_isolation(lines):
    """As split_regress; a step's line is part of its output, since its SQL has no end mark."""
    found, key, output = [], "", []
    for line in lines:
        if re.match(r"step \w+:|starting permutation:", line):
            found.append((key, output))
            key, output = line.removesuffix(" <waiting ...>"), [line]
        else:
            output.append(line)
    found.append((key, output))
    return found


def without_numbers(statement):
    return re.sub(r"'\w{3} \w{3} \d\d [\d:.]+ \d{4} \w+'|\d+", "0", statement)


def bare(statement):
    statement = re.sub(r"\Astep \w+:", "", statement)
    return COMMENTS.sub("", statement).lower()


class Plans:
    """Which statements of a test print plans"""

    def __init__(self):
        self.functions = set()
        self.steps = {}         # SQL of isolation tests, which may print when another step is over

    def text_of(self, statement, output):
        step = re.match(r"step (\w+):", statement)
        if not step:
            return statement
        if not statement.endswith("<... completed>"):
            self.steps[step[1]] = "\n".join(output)
        return self.steps.get(step[1], "")

    def is_plan(self, statement, output):
        text = self.text_of(statement, output)
        created = CREATES.search(statement)
        if created:
            if RUNS_EXPLAIN.search(statement):
                self.functions.add(created[1].lower())
            return False
        text = bare(text)
        if statement.startswith("step ") and re.search(r";\s*explain\b", text):
            return True
        if text.startswith("explain") or text.startswith("do ") and RUNS_EXPLAIN.search(text):
            return True
        return any(re.search(rf"\b{name}\s*\(", text) for name in self.functions)


def plan_nodes(lines):
    """The nodes of a plan in order, without ours, and for text without the topmost"""
    nodes = []
    for line in lines:
        text = re.sub(r"\s*\+?\s*\|?\s*$", "", line)
        node = re.match(r"\s*->  (.*?)( +\((cost|actual|never) .*)?$", text)
        if node:
            nodes.append(node[1])
        elif re.search(r"Node Type", text):
            nodes.append(text.strip())
    return [x for x in nodes if NODE not in x and "Custom Scan" not in x]


def first_backslash(lines):
    """Where an echoed command of psql begins: what follows is not of the statement before."""
    for i, line in enumerate(lines):
        if line.startswith("\\"):
            return i
    return len(lines)


def split_step(lines):
    """The results of a step, which may run several statements"""
    found, rows = [], []
    for line in lines:
        rows.append(line)
        if re.match(r"\(\d+ rows?\)", line):
            found.append(rows)
            rows = []
    return found + [rows]


def step_difference(unhooked, hooked):
    unhooked, hooked = split_step(unhooked), split_step(hooked)
    if len(unhooked) != len(hooked):
        return "another number of results"
    for u, h in zip(unhooked, hooked):
        if u != h and not any("QUERY PLAN" in x for x in u):
            return "results differ"
        why = plan_difference(u, h)
        if why:
            return why
    return None


def plan_difference(unhooked, hooked):
    """What is wrong with two different outputs of a statement that prints a plan, or None."""
    u_end, h_end = first_backslash(unhooked), first_backslash(hooked)
    if unhooked[u_end:] != hooked[h_end:]:
        return "differs after the plan"
    unhooked, hooked = unhooked[:u_end], hooked[:h_end]
    if [x for x in unhooked if MESSAGE.match(x)] != [x for x in hooked if MESSAGE.match(x)]:
        return "messages differ"
    top = next((x for x in hooked if NODE in x), "")
    nodes = plan_nodes(hooked)
    if plan_nodes(unhooked) != (nodes if re.match(r"\s*->", top) else nodes[1:]) and plan_nodes(unhooked) != nodes:
        return "other nodes of the plan differ"
    return None


class Tally:
    def __init__(self):
        self.tests = self.statements = self.plans = self.variable = 0
        self.unstable, self.differences = [], []


def show(way, part, name, statement, why, unhooked, hooked):
    print(f"not ok {way} {part}/{name}: {why}")
    for line in statement.split("\n"):
        print(f"    {line}")
    a, b = list(unhooked), list(hooked)
    while a and b and a[0] == b[0]:
        del a[0], b[0]
    while a and b and a[-1] == b[-1]:
        del a[-1], b[-1]
    for sign, lines in (("-", a), ("+", b)):
        for line in lines[:30]:
            print(f"    {sign} {line}")
        if len(lines) > 30:
            print(f"    {sign} ... {len(lines) - 30} lines more")


def compare_test(tally, way, part, name, runs):
    """runs: unhooked, unhooked again, hooked"""
    split = split_regress if part == "regress" else split_isolation
    first, again, hooked = (split(read_lines(x, part, name)) for x in runs)
    tally.tests += 1
    plans, n_shown = Plans(), 0
    for i in range(max(len(first), len(hooked))):
        u = first[i] if i < len(first) else ("", [])
        h = hooked[i] if i < len(hooked) else ("", [])
        a = again[i] if i < len(again) else ("", [])
        tally.statements += 1
        is_plan = plans.is_plan(*u)
        if u == h:
            continue
        if without_numbers(u[0]) != without_numbers(h[0]):
            why = "another statement was run"
        elif u[1] == a[1] == h[1]:
            # variables of psql that hold times or sizes
            if u[0] != h[0]:
                tally.variable += 1
            continue
        elif u[1] != a[1]:
            tally.unstable.append(f"{way} {part}/{name}: {' '.join(u[0].split())[:80]}")
            continue
        elif is_plan:
            why = (step_difference if part == "isolation" else plan_difference)(u[1], h[1])
            if why is None:
                tally.plans += 1
                continue
        else:
            why = "results differ"
        tally.differences.append(name)
        n_shown += 1
        if n_shown <= SHOWN_PER_TEST:
            show(way, part, name, u[0] or h[0], why, u[1], h[1])
        if why.startswith("another"):
            break


def compare_part(tally, way, part, runs):
    names = [sorted(x for x in os.listdir(os.path.join(run, part)) if x.endswith(".out")) for run in runs]
    for name in sorted(set(names[0]) ^ set(names[2])):
        tally.differences.append(name)
        print(f"not ok {way} {part}/{name}: ran in one of the two runs only")
    for name in names[0]:
        if name in names[1] and name in names[2]:
            compare_test(tally, way, part, name, runs)


def main():
    top = sys.argv[1]
    all_ways = Tally()
    for way in sys.argv[2:]:
        reference = "plain" if way == "one" else way
        tally = Tally()
        first, again = (os.path.join(top, reference, x) for x in ("unhooked-1", "unhooked-2"))
        runs = [first, again if os.path.isdir(again) else first, os.path.join(top, way, "hooked-1")]
        for part in ("regress", "isolation"):
            compare_part(tally, way, part, runs)
        for line in tally.unstable:
            print(f"# differs between unhooked runs, too: {line}")
        print(f"{'not ok' if tally.differences or not tally.tests else 'ok'} {way}: {tally.tests} tests, "
              f"{tally.statements} statements, {tally.plans} with other plans only, "
              f"{tally.variable} with other numbers in their text, "
              f"{len(tally.unstable)} that differ by themselves, {len(tally.differences)} differences")
        for field in ("tests", "statements", "plans", "unstable", "differences"):
            setattr(all_ways, field, getattr(all_ways, field) + getattr(tally, field))
    print(f"core suite: {all_ways.tests} tests run, {all_ways.plans} EXPLAIN-only differences, "
          f"{len(all_ways.differences)} differences")
    return 1 if all_ways.differences or not all_ways.tests else 0


sys.exit(main())
