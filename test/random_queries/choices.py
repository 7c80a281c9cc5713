"""Choices that make a random script, kept, so that it can be made again, and smaller."""


class Choices:
    """
    Numbers drawn from a random source, or given; where those end it goes on with 0, which
    always is the simplest choice.
    """

    def __init__(self, rng=None, given=()):
        self.rng = rng
        self.given = given
        self.made = []

    def pick(self, n):
        """One of 0 .. n - 1"""
        if self.rng is not None:
            number = self.rng.randrange(n)
        elif len(self.made) < len(self.given):
            number = min(self.given[len(self.made)], n - 1)
        else:
            number = 0
        self.made.append(number)
        return number

    def chance(self, percent):
        return self.pick(100) >= 100 - percent

    def one_of(self, *items):
        return items[self.pick(len(items))]

    def weighted(self, *items):
        """One of (weight, item), the first of which is the simplest"""
        number = self.pick(sum(weight for weight, _ in items))
        for weight, item in items:
            if number < weight:
                return item
            number -= weight
        raise AssertionError

    def some_of(self, items, percent):
        return [x for x in items if self.chance(percent)]


def smaller(made, is_wrong, budget):
    """
    Fewer and smaller numbers for which is_wrong still holds; calls it at most budget times.
    """
    best = list(made)
    size = max(len(best) // 2, 1)
    while budget > 0:
        has_changed = False
        for start in range(len(best) - size, -size, -size):
            start = max(start, 0)
            for trial in (best[:start] + best[start + size:],
                          best[:start] + [0] * len(best[start:start + size]) + best[start + size:]):
                if trial == best or budget <= 0:
                    continue
                budget -= 1
                if is_wrong(trial):
                    best = trial
                    has_changed = True
                    break
        if size > 1:
            size //= 2
        elif not has_changed:
            break
    while best and best[-1] == 0:
        best.pop()
    return best
