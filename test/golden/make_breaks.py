#!/usr/bin/env python3
"""Write breaks.txt: where sentences begin, by the Unicode Character Database's own test.

    make_breaks.py [directory of the Unicode Character Database] > breaks.txt

Each line is a text: code points in hex, and "|" where a sentence begins or the text ends.
Derived from a data file that is Copyright (c) 1991-2022 Unicode, Inc.,
https://www.unicode.org/license.txt
"""
import os
import sys


def main():
    directory = sys.argv[1] if len(sys.argv) > 1 else "/usr/share/unicode"
    print("# made by make_breaks.py from SentenceBreakTest.txt")
    with open(os.path.join(directory, "auxiliary", "SentenceBreakTest.txt"),
              encoding="utf-8") as file:
        for line in file:
            line = line.split("#")[0].strip()
            if line:
                print(" ".join({"÷": "|", "×": ""}.get(word, word) for word in line.split())
                      .replace("  ", " "))


if __name__ == "__main__":
    main()
