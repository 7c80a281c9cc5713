"""Our tokenizer beside the reference, on the same texts."""
import os
import random
import struct
import subprocess
import tempfile
import time

NO_PAIR = 0xFFFFFFFF
SPECIAL, ONLY_FIRST, ONLY_SECOND = 1, 2, 4
STRATEGIES = {0: "longest_first", ONLY_FIRST: "only_first", ONLY_SECOND: "only_second"}


class Case:
    def __init__(self, text, pair=None, max_tokens=0, flags=SPECIAL):
        self.text, self.pair, self.max_tokens, self.flags = text, pair, max_tokens, flags

    def pack(self):
        text = self.text.encode()
        pair = b"" if self.pair is None else self.pair.encode()
        return b"".join([struct.pack("<I", len(text)), text,
                         struct.pack("<I", NO_PAIR if self.pair is None else len(pair)), pair,
                         struct.pack("<II", self.max_tokens, self.flags)])


def make_cases(texts, seed):
    """Each text alone; some with another one, without special tokens, or truncated."""
    rng = random.Random(seed)
    for text in texts:
        kind = rng.random()
        if kind < 0.7:
            yield Case(text)
            continue
        pair = rng.choice(texts) if rng.random() < 0.6 else None
        flags = SPECIAL if rng.random() < 0.7 else 0
        if rng.random() < 0.3:
            flags |= ONLY_FIRST if pair is None else rng.choice([ONLY_FIRST, ONLY_SECOND])
        max_tokens = rng.choice([0, 5, 6, 7, 8, 9, 16, 31, 64, 255, 256])
        # the reference pairs all parts that it cuts off with each other, which takes for ever
        if pair is not None and len(text) + len(pair) > 4000:
            max_tokens = 0
        yield Case(text, pair, max_tokens, flags)


def expected(tokenizer, case):
    """What the reference says, or None where it refuses."""
    if case.max_tokens:
        tokenizer.enable_truncation(case.max_tokens, strategy=STRATEGIES[case.flags & ~SPECIAL])
    else:
        tokenizer.no_truncation()
    try:
        encoding = tokenizer.encode(case.text, case.pair, add_special_tokens=bool(case.flags & SPECIAL))
    except BaseException as error:
        if "Truncation error" not in str(error) and "overflow" not in str(error):
            raise
        return None
    return (encoding.ids, encoding.type_ids, encoding.offsets,
            tokenizer.decode(encoding.ids, skip_special_tokens=True),
            bool(encoding.overflowing), encoding.sequence_ids)


class Answers:
    def __init__(self, data):
        self.data, self.at = data, 0

    def numbers(self, n):
        values = struct.unpack_from("<%dI" % n, self.data, self.at)
        self.at += 4 * n
        return values

    def next(self):
        n, = self.numbers(1)
        if n == NO_PAIR:
            return None
        is_truncated, counted = self.numbers(2)
        flat = self.numbers(4 * n)
        assert counted == n, "counted %d, but there are %d" % (counted, n)
        size, = self.numbers(1)
        text = self.data[self.at:self.at + size]
        self.at += size
        return list(flat[0::4]), list(flat[1::4]), list(zip(flat[2::4], flat[3::4])), text, bool(is_truncated)


def char_places(text):
    """From bytes to characters."""
    places = {}
    at = 0
    for i, char in enumerate(text):
        places[at] = i
        at += len(char.encode())
    places[at] = len(text)
    return places


def difference(case, want, got):
    if want is None or got is None:
        return None if want is got else "one of them refuses"
    if want[0] != got[0]:
        return "ids %s, not %s" % (got[0], want[0])
    if want[1] != got[1]:
        return "types %s, not %s" % (got[1], want[1])
    places = [char_places(case.text), char_places(case.pair or "")]
    spans = [(0, 0) if s is None else (places[s].get(a, "?"), places[s].get(b, "?"))
             for (a, b), s in zip(got[2], want[5])]
    if spans != want[2]:
        return "spans %s, not %s" % (spans, want[2])
    if got[3] != want[3].encode():
        return "text %r, not %r" % (got[3].decode(errors="replace"), want[3])
    if got[4] != want[4]:
        return "truncated: %s, not %s" % (got[4], want[4])
    return None


def compare(program, folder, tokenizer, cases, max_shown=5):
    """The number of cases where the program and the reference differ"""
    tokenizer.no_padding()
    with tempfile.TemporaryDirectory() as work:
        paths = [os.path.join(work, name) for name in ("texts", "answers")]
        with open(paths[0], "wb") as file:
            file.writelines(case.pack() for case in cases)
        subprocess.run([program, folder] + paths, check=True)
        with open(paths[1], "rb") as file:
            answers = Answers(file.read())
    n_different = 0
    for case in cases:
        what = difference(case, expected(tokenizer, case), answers.next())
        if what is not None:
            n_different += 1
            if n_different <= max_shown:
                print("different: %s\n  of %r and %r, at most %d, flags %d"
                      % (what[:1500], case.text[:300], case.pair and case.pair[:200], case.max_tokens, case.flags))
    return n_different


def measure(program, folder, tokenizer, name, strings, max_tokens):
    """The time of the program and of the reference, on one thread, in one run"""
    cases = [Case(string, None, max_tokens) for string in strings]
    tokenizer.enable_truncation(max_tokens)
    times = []
    for _ in range(3):
        start = time.process_time()
        for string in strings:
            tokenizer.encode(string)
        times.append((time.process_time() - start) / len(strings))
    with tempfile.TemporaryDirectory() as work:
        path = os.path.join(work, "texts")
        with open(path, "wb") as file:
            file.writelines(case.pack() for case in cases)
        ours = float(subprocess.run([program, folder, path, "5", "time"], check=True,
                                    capture_output=True).stdout.split()[0]) / 1e9
    print("%s: %.0f texts/s, the reference %.0f: %.1f times as many"
          % (name, 1 / ours, 1 / min(times), min(times) / ours), flush=True)
