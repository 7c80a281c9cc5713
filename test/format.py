#!/usr/bin/env python3
"""Lay out the C files, or check that they are laid out (--check).

clang-format decides line breaks and indentation.  White space inside a line
that it cannot decide as PostgreSQL does (the column of a declared name, of a
comment at the end of a line, around braces, casts and stars) is compared
loosely and left as it stands.  Beside it: no line over MAX_COLUMNS, no white
space at the end of a line, no //-comment.

Files that scripts generate say "clang-format off" at their top and are left
alone.  Without clang-format 14 there is nothing to compare with: other
versions lay out differently.
"""

import difflib
import pathlib
import re
import shutil
import subprocess
import sys

MAX_COLUMNS = 100
TAB = 4


def find_clang_format():
    for name in ("clang-format-14", "clang-format"):
        if shutil.which(name):
            version = subprocess.run([name, "--version"], capture_output=True, text=True).stdout
            if "version 14." in version:
                return name
    return None


def files():
    return sorted(str(f) for room in ("src", "test") for f in pathlib.Path(room).rglob("*.[ch]"))


def loose(line):
    """The line without the white space that may differ."""
    body = line.lstrip()
    indent = len(line[:len(line) - len(body)].expandtabs(TAB))
    body = re.sub(r"\s*(/\*|\\$)", r"\1", body)
    body = re.sub(r"\s*([{}*])\s*", r"\1", body)
    body = re.sub(r"\)\s+", ")", body)
    body = re.sub(r"\s+", " ", body)
    return indent, body.strip()


def lay_out(program, path):
    """The file's text as it stands, and as it should be."""
    with open(path, encoding="utf-8") as f:
        text = f.read()
    if "clang-format off" in text[:2000]:
        return text, text
    made = subprocess.run([program, "--style=file", path],
                          capture_output=True, text=True, check=True).stdout
    old, new = text.splitlines(), made.splitlines()
    result = []
    matcher = difflib.SequenceMatcher(None, [loose(x) for x in old], [loose(x) for x in new], False)
    for tag, i1, i2, j1, j2 in matcher.get_opcodes():
        result += old[i1:i2] if tag == "equal" else new[j1:j2]
    return text, "".join(line.rstrip() + "\n" for line in result)


def complaints(path, text):
    for number, line in enumerate(text.splitlines(), 1):
        if len(line.expandtabs(TAB)) > MAX_COLUMNS:
            yield f"{path}:{number}: line is longer than {MAX_COLUMNS} columns"
        if re.match(r"\s*//", line):
            yield f"{path}:{number}: comment begins with //"


def main():
    check = sys.argv[1:] == ["--check"]
    program = find_clang_format()
    if program is None:
        print("format: skipped, clang-format 14 is not installed")
        return 0
    n_wrong = 0
    for path in files():
        text, wanted = lay_out(program, path)
        if text != wanted and not check:
            with open(path, "w", encoding="utf-8") as f:
                f.write(wanted)
        elif text != wanted:
            n_wrong += 1
            sys.stdout.writelines(difflib.unified_diff(
                text.splitlines(True), wanted.splitlines(True), path, path + " (make format)", n=1))
        if "clang-format off" not in text[:2000]:
            for complaint in complaints(path, wanted):
                n_wrong += 1
                print(complaint)
    print(f"format: {len(files())} files, {n_wrong} complaints")
    return 1 if n_wrong else 0


sys.exit(main())
