"""Compare with Hugging Face's tokenizers; see check.sh.

Real tokenizers are taken from packages, others are trained here, as large as real ones.
They are kept in build/tokenizers.
"""
import argparse
import os
import random
import sys

import compare
import make
import texts

SEED = 7


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--texts", type=int, default=100000)
    parser.add_argument("--only", default="", help="names of tokenizers, with commas between")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--mails", default="", help="a folder of more texts")
    parser.add_argument("--time", action="store_true", help="compare the time, too")
    args = parser.parse_args()

    mails = [os.path.join(d, f) for d, _, files in os.walk(args.mails) for f in files] if args.mails else []
    strings = texts.make_texts(args.texts, args.seed, mails[:3000])
    cases = list(compare.make_cases(strings, args.seed + 1))
    n_different = 0
    for name, maker in make.MAKERS.items():
        if args.only and name not in args.only.split(","):
            continue
        folder, tokenizer = make.load(name, maker)
        n = compare.compare(args.program, folder, tokenizer, cases)
        print("%s: %d strings, %d differ" % (name, len(cases), n), flush=True)
        n_different += n
        if args.time:
            sms = list(texts.real_texts([]))
            long = [" ".join(sms[i:i + 20]) for i in range(0, 2000, 20)]
            compare.measure(args.program, folder, tokenizer, name + ", SMS", sms, 256)
            compare.measure(args.program, folder, tokenizer, name + ", long", long, 256)
    sys.exit(1 if n_different else 0)


if __name__ == "__main__":
    main()
