#!/usr/bin/env python3
"""Lay out the C files, or check that they are laid out (--check).

clang-format decides where statements, blocks and comments begin and how far
they are indented.  What it cannot decide as PostgreSQL does is left as it
stands: the column of a declared name and of a comment at the end of a line,
white space around braces, casts and stars, the breaks inside a statement or an
initializer, and macros.  Beside it: no line over MAX_COLUMNS but for messages,
no white space at the end of a line, no //-comment.

Files that scripts generate say so at their top and are left alone.  Without
clang-format 14 there is nothing to compare with: other versions lay out
differently.
"""

import difflib
import pathlib
import re
import shutil
import subprocess
import sys

GENERATED = re.compile(r"[Gg]enerated (by|from)|clang-format off")
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


CONTROL = re.compile(r"(if|for|while|switch|foreach|forboth)\b")
LABEL = re.compile(r"(case\b.*|\w+)\s*:$")
INITIALIZER = re.compile(r"(=|\breturn\b).*\{.*")
LITERAL_OR_COMMENT = re.compile(r'"(\\.|[^"\\])*"|\'(\\.|[^\'\\])+\'|/\*.*?\*/')


def statements(lines):
    """(first line, line behind the last, key) of each statement; equal keys are laid out alike."""
    result = []
    first, code, in_comment = 0, "", False
    for i, line in enumerate(lines):
        body = line.strip()
        if in_comment or body.startswith("/*") and "*/" not in body:
            in_comment = "*/" not in body
            ends = True
        elif lines[first].lstrip().startswith("#"):
            ends = not body.endswith("\\")
        else:
            code = (code + " " + LITERAL_OR_COMMENT.sub("", body)).strip()
            values = INITIALIZER.search(code)
            is_open = code.count("(") > code.count(")") or (
                values and values[0].count("{") > values[0].count("}"))
            ends = not is_open and (
                code.endswith((";", "{", "}")) or code in ("", "else", "do") or
                CONTROL.match(code.removeprefix("else ")) or LABEL.match(code))
        if ends:
            result.append((first, i + 1, key(lines[first:i + 1])))
            first, code = i + 1, ""
    if first < len(lines):
        result.append((first, len(lines), key(lines[first:])))
    return result


def key(lines):
    """A statement without the white space that may differ."""
    body = lines[0].lstrip()
    indent = len(lines[0][:len(lines[0]) - len(body)].expandtabs(TAB))
    if body.startswith("#"):
        return indent, re.sub(r"[\s\\]+", "", "".join(lines))
    # outside functions a break counts: before a function's name, before a brace
    is_head = indent == 0 and not any("=" in x for x in lines)
    text = ("\n" if is_head else " ").join(x.strip(" \t\\") for x in lines)
    text = re.sub(r"[ \t]*/\*", "/*", text)
    text = re.sub(r"[ \t]*([{}()*])[ \t]*", r"\1", text)
    return indent, re.sub(r"[ \t]+", " ", text).strip()


def lay_out(program, path):
    """The file's text as it stands, and as it should be."""
    with open(path, encoding="utf-8") as f:
        text = f.read()
    if GENERATED.search(text[:2000]):
        return text, text
    made = subprocess.run([program, "--style=file", path],
                          capture_output=True, text=True, check=True).stdout
    old, new = text.splitlines(), made.splitlines()
    was, wanted = statements(old), statements(new)
    matcher = difflib.SequenceMatcher(None, [x[2] for x in was], [x[2] for x in wanted], False)
    result = []
    for tag, i1, i2, j1, j2 in matcher.get_opcodes():
        source, chosen = (old, was[i1:i2]) if tag == "equal" else (new, wanted[j1:j2])
        for first, end, _ in chosen:
            result += source[first:end]
    return text, "".join(line.rstrip() + "\n" for line in result)


def complaints(path, text):
    for number, line in enumerate(text.splitlines(), 1):
        # a message stays in one piece, so that it can be searched for
        if len(line.expandtabs(TAB)) > MAX_COLUMNS and '"' not in line:
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
        if not GENERATED.search(text[:2000]):
            for complaint in complaints(path, wanted):
                n_wrong += 1
                print(complaint)
    print(f"format: {len(files())} files, {n_wrong} complaints")
    return 1 if n_wrong else 0


sys.exit(main())
