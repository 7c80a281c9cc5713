#!/usr/bin/env python3
"""Run the examples of Markdown files and compare what they print.

usage: check_readme.py [--write] README.md ...  (PGHOST and so on point to a server)

Every block fenced as "sql" is run, in order, in one psql session for each file in a new
database that holds nothing; the folder of the session is the top of the tree.
A block fenced as "text" that follows directly is what psql prints, notices and
errors included.  Without such a block the example must only print no error.

Compared are the words of each line.  Not compared are white space, the length
of rules, durations, times and hashes; and numbers with a fraction may differ by
one in a hundred, since the last digits depend on the processor; those of a network's epochs
are not compared at all.  Lines that show the progress of a training are left out: a fast
machine prints none.

Between the comments <!-- needs FILE, extension NAME --> and <!-- end --> examples run only
where that is there; when CI is set, a file that is missing is an error.

With --write a "text" block that differs is replaced by what was printed, to be
read before it is committed.
"""

import difflib
import math
import os
import re
import subprocess
import sys
import threading

DATABASE = "readme_examples"
TIMEOUT = 300                   # seconds for one example
FENCE = re.compile(r"^```(\w*)\s*$")
NEEDS = re.compile(r"^<!-- needs (.*) -->$")
PROGRESS = re.compile(r"^NOTICE:  training: \d+ % done after \d+ s$")


def read_lines(path):
    with open(path, encoding="utf-8") as f:
        return f.read().splitlines()


def examples(path):
    """Line number, commands, expected output or None, line number of that, needs; in order."""
    found, language, start, lines, end, needs = [], None, 0, [], 0, []
    text = read_lines(path)
    for number, line in enumerate(text, 1):
        fence = FENCE.match(line)
        if language is None and NEEDS.match(line):
            needs = NEEDS.match(line)[1].split(", ")
        elif language is None and line == "<!-- end -->":
            needs = []
        if language is None and fence:
            language, start, lines = fence[1], number, []
        elif language is not None and fence:
            if language == "sql":
                found.append([start, "\n".join(lines), None, 0, needs])
                end = number
            elif language == "text" and found and not "".join(text[end:start - 1]).strip():
                found[-1][2:4] = lines, start
                end = 0
            language = None
        elif language is not None:
            lines.append(line)
    return found


class Session:
    """One psql; run() returns the lines that some commands print."""

    def __init__(self):
        self.n_runs = 0
        self.psql = subprocess.Popen(
            ["psql", "-X", "-q", "-d", DATABASE], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, encoding="utf-8")

    def run(self, commands):
        self.n_runs += 1
        mark = f"end of example {self.n_runs}"
        timer = threading.Timer(TIMEOUT, self.psql.kill)
        timer.start()
        try:
            # the query pushes out what psql still holds back
            self.psql.stdin.write(f"{commands}\n\\echo {mark}\nSELECT 1 AS pushed;\n")
            self.psql.stdin.flush()
            lines = []
            for line in self.psql.stdout:
                if line.rstrip("\n").endswith(mark):
                    for line in self.psql.stdout:
                        if line.startswith("(1 row)"):
                            self.psql.stdout.readline()
                            return lines
                if not PROGRESS.match(line):
                    lines.append(line.rstrip("\n"))
        except BrokenPipeError:
            pass
        finally:
            timer.cancel()
        lines.append("psql ended, or the example did not")
        return lines

    def close(self):
        self.psql.stdin.close()
        self.psql.wait()


def words(line):
    if line.startswith("NOTICE:  epoch "):
        line = re.sub(r"\d+\.\d+", "NUMBER", line)
    line = re.sub(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d+)?([+-]\d\d)?", "TIME", line)
    line = re.sub(r"\d\d:\d\d:\d\d(\.\d+)?", "DURATION", line)
    line = re.sub(r"\b\d+(\.\d+)? ?(ms|s|seconds?)\b", "DURATION", line)
    line = re.sub(r"\b[0-9a-f]{32,64}\b", "HASH", line)
    line = re.sub(r"-{2,}", "--", line)
    return re.findall(r"-?\d+\.\d+(?:e-?\d+)?|\w+|[^\w\s]", line)


def number(word):
    try:
        return float(word)
    except ValueError:
        return None


def is_close(x, y):
    a, b = number(x), number(y)
    return "." in x + y and a is not None and b is not None and \
        math.isclose(a, b, rel_tol=0.01, abs_tol=0.002)


def is_alike(expected, printed):
    a, b = words(expected), words(printed)
    return len(a) == len(b) and all(x == y or is_close(x, y) for x, y in zip(a, b))


def compare(expected, printed):
    """Differences, as lines to show; none when they are alike."""
    expected = [line.rstrip() for line in expected if line.strip()]
    printed = [line.rstrip() for line in printed if line.strip()]
    if len(expected) == len(printed) and all(map(is_alike, expected, printed)):
        return []
    return list(difflib.unified_diff(expected, printed, "in the file", "printed", lineterm="", n=30))


def write_outputs(path, outputs):
    """outputs: (lines of a text block, line number of its fence, what to put there)"""
    text = read_lines(path)
    for old, fence, new in reversed(outputs):
        text[fence:fence + len(old)] = new
    with open(path, "w", encoding="utf-8") as f:
        f.write("\n".join(text) + "\n")


def tidy(lines):
    """As psql printed it, without white space at ends"""
    return "\n".join(line.rstrip() for line in lines).strip("\n").split("\n")


def is_there(need):
    if not need.startswith("extension "):
        if not os.path.exists(need) and os.environ.get("CI"):
            sys.exit(f"{need} is missing")
        return os.path.exists(need)
    name = need.removeprefix("extension ")
    found = subprocess.run(["psql", "-XAt", "-d", "postgres", "-c", "SELECT count(*) FROM "
                            f"pg_available_extensions WHERE name = '{name}'"],
                           check=True, capture_output=True, text=True)
    return found.stdout.strip() != "0"


def check(path, wants_write):
    """Run one file's examples in a new database; the number of those that failed"""
    for command in (f"DROP DATABASE IF EXISTS {DATABASE}", f"CREATE DATABASE {DATABASE}"):
        subprocess.run(["psql", "-X", "-q", "-d", "postgres", "-c", "SET client_min_messages = error",
                        "-c", command], check=True)
    session = Session()
    outputs = []
    n_failed = 0
    skipped = {}
    for line, commands, expected, fence, needs in examples(path):
        missing = [need for need in needs if not is_there(need)]
        if missing:
            skipped.setdefault(missing[0], []).append(line)
            continue
        printed = session.run(commands)
        if expected is not None:
            wrong = compare(expected, printed)
        else:
            wrong = [x for x in printed if re.match(r"(psql:.*)?(ERROR|FATAL|PANIC)|psql ended", x)]
        if wrong and expected is not None and wants_write:
            outputs.append((expected, fence, tidy(printed)))
            print(f"wrote {path} line {fence}")
            continue
        print(f"{'not ok' if wrong else 'ok'} {path} line {line}")
        for text in wrong:
            print(f"    {text}")
        n_failed += bool(wrong)
    for need, lines in skipped.items():
        print(f"skipped {path} lines {', '.join(map(str, lines))}: there is no {need}")
    if outputs:
        write_outputs(path, outputs)
    session.close()
    return n_failed


def main():
    wants_write = sys.argv[1] == "--write"
    n_failed = sum(check(path, wants_write) for path in sys.argv[1 + wants_write:])
    return 1 if n_failed else 0


sys.exit(main())
