"""The calls that random queries make: of models, or of functions of the server."""

MODELS = ("m1", "m2", "m1@2")
LABELS = {"m1": "spam", "m2": "offer", "m1@2": "ham"}


class OfModels:
    """Calls of our functions; pin stands for the content of a model."""

    def __init__(self, pin):
        self.pin = pin

    def input(self, g, scope, depth):
        return g.value("text", scope, depth - 1)

    def text(self, g, scope, depth):
        c = g.choices
        if scope.rows and c.chance(8):
            return f"ai_classify({c.one_of(*scope.rows)}{c.one_of('', ', %r' % 'm1')})"
        x = self.input(g, scope, depth)
        model = c.one_of(*MODELS)
        return c.weighted(
            (10, f"ai_classify({x}, '{model}')"),
            (4, f"ai_classify({x})"),
            (4, f"ai_classify({x}, {g.column(scope, 'model')})"),
            (2, f"ai_classify_pinned({x}, '{self.pin}')"),
            (1, f"ai_classify(({x})::varchar, '{model}')"),
            (1, f"ai_classify(to_jsonb(({x})::text), '{model}')"),
            (2, f"ai_scores({x}, '{model}')::text"),
            (2, f"(ai_scores({x}, '{model}') ->> '{LABELS[model]}')"),
            (2, f"topic({x})"),
            (1, f"topic_of({x})"))

    def num(self, g, scope, depth):
        c = g.choices
        x = self.input(g, scope, depth)
        model = c.one_of(*MODELS)
        score = c.weighted(
            (6, f"ai_score({x}, '{LABELS[model]}', '{model}')"),
            (3, f"ai_score({x}, {g.column(scope, 'label')}, 'm1')"),
            (2, f"ai_score({x}, 'ham')"),
            (1, f"ai_score_pinned({x}, 'spam', '{self.pin}')"),
            (1, f"(ai_scores({x}, '{model}') -> '{LABELS[model]}')::float8"))
        return f"round({score}::numeric, 6)"

    def int(self, g, scope, depth):
        return f"length({self.text(g, scope, depth)})"

    def bool(self, g, scope, depth):
        c = g.choices
        return c.weighted(
            (5, f"{self.text(g, scope, depth)} = '{c.one_of('spam', 'ham', 'offer', 'work')}'"),
            (2, f"{self.num(g, scope, depth)} > {c.one_of('0.5', '0.1', '0.9')}"),
            (1, f"{self.text(g, scope, depth)} IN ('ham', 'private', 'work')"),
            (1, f"{self.text(g, scope, depth)} IS NULL"))


class OfServer:
    """Calls of functions of the server, for the setting that batches these."""

    def text(self, g, scope, depth):
        x = g.value("text", scope, depth - 1)
        c = g.choices
        if g.may_fail and c.chance(10):
            return c.one_of(f"substr({x}, 1, {g.column(scope, 'int')} - 2)", f"chr({g.column(scope, 'int')})")
        return c.one_of(
            f"md5({x})", f"lower({x})", f"upper({x})", f"replace({x}, 'a', 'bb')", f"substr({x}, 3, 5)",
            f"reverse({x})", f"split_part({x}, ' ', 2)", f"initcap({x})", f"to_hex({g.column(scope, 'int')})",
            f"jsonb_build_object('x', {x})::text", f"to_jsonb(({x})::text) ->> 0", f"left({x}, 4)", f"topic({x})")

    def num(self, g, scope, depth):
        c = g.choices
        x = g.value("num", scope, depth - 1)
        if g.may_fail and c.chance(10):
            return c.one_of(f"round(ln({x}), 3)", f"round(sqrt({x}), 3)")
        return c.one_of(f"abs({x})", f"round({x}, 1)", f"ceil({x})", f"mod({x}, 7)", f"trunc({x}, 1)", f"sign({x})")

    def int(self, g, scope, depth):
        return g.choices.one_of(
            f"length({g.value('text', scope, depth - 1)})", f"ascii({g.value('text', scope, depth - 1)})",
            f"abs({g.value('int', scope, depth - 1)})", f"mod({g.value('int', scope, depth - 1)}, 5)",
            f"strpos({g.value('text', scope, depth - 1)}, 'e')")

    def bool(self, g, scope, depth):
        c = g.choices
        return c.one_of(
            f"starts_with({g.value('text', scope, depth - 1)}, '{c.one_of('w', 's', 'a')}')",
            f"{self.int(g, scope, depth)} > {c.one_of(3, 0, 20)}",
            f"{self.text(g, scope, depth)} < {self.text(g, scope, depth)}")
