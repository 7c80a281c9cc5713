"""The targets of a benchmark: what is asked, what was measured, whether that is enough."""


class Verdicts:
    def __init__(self):
        self.rows = []

    def at_least(self, where, what, measured, target, form):
        self.rows.append((where, what, form.format(measured), ">= " + form.format(target),
                          measured >= target))

    def at_most(self, where, what, measured, target, form):
        self.rows.append((where, what, form.format(measured), "<= " + form.format(target),
                          measured <= target))

    def print(self):
        print("\ntarget")
        for where, what, measured, target, is_met in self.rows:
            print(f"  {'PASS' if is_met else 'FAIL'}  {where:7} {what:56} "
                  f"{measured:>10} {target:>12}")
        missed = sum(not row[-1] for row in self.rows)
        print(f"{len(self.rows)} targets, {missed} missed")
