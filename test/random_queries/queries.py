"""Random SELECT statements over the tables of setup.sql."""

COLUMNS = (("id", "int"), ("grp", "int"), ("n", "int"), ("body", "text"), ("label", "label"),
           ("model", "model"), ("flag", "bool"), ("amount", "num"))
# name, weight, rows
TABLES = (("t", 8, 160), ("u", 5, 80), ("p", 4, 110), ("s", 4, 9), ("v", 2, 110), ("w", 2, 80),
          ("wide", 1, 14), ("e", 1, 0))
VIEWS = ("v", "w")
TYPES = ("int", "text", "bool", "num")
# joins and subqueries that would make more rows are left out
MAX_ROWS = 4000


class Scope:
    """What an expression may refer to"""

    def __init__(self, columns=(), rows=(), outer=None, tables=()):
        self.columns = list(columns)    # (SQL, type)
        self.rows = list(rows)          # whole rows with a column body
        self.tables = list(tables)      # those of them that have system columns
        self.outer = outer

    def of_type(self, kind):
        return [sql for sql, t in self.columns if t == kind or kind == "text" and t in ("label", "model")]

    def plus(self, other):
        return Scope(self.columns + other.columns, self.rows + other.rows, self.outer, self.tables + other.tables)


class Relation:
    """An item of FROM"""

    def __init__(self, sql, alias, columns, n_rows, has_body=False):
        self.sql = sql
        self.n_rows = n_rows
        self.alias = alias
        self.scope = Scope([(f"{alias}.{name}", kind) for name, kind in columns], [alias] if has_body else [])
        if has_body and sql.split()[0] not in VIEWS and "(" not in sql:
            self.scope.tables.append(alias)


class Generator:
    """
    calls: OfModels or OfServer.  is_parallel: the order of rows is not known where nothing
    orders them.  tables: that scripts have made, as TABLES.
    """

    def __init__(self, choices, calls, is_parallel=False, may_fail=False, is_volatile=False, tables=()):
        self.choices = choices
        self.calls = calls
        self.is_parallel = is_parallel
        self.may_fail = may_fail
        self.is_volatile = is_volatile
        self.tables = list(TABLES) + list(tables)
        self.parameters = []            # (SQL, type), of prepared statements and PL/pgSQL
        self.ctes = []                  # (name, columns, rows)
        self.n_aliases = 0

    def alias(self):
        self.n_aliases += 1
        return f"a{self.n_aliases}"

    def named_scope(self, name, columns):
        return Scope([(f"{name}.{column}", kind) for column, kind in columns])

    def table_named(self, name):
        return self.named_scope(name, COLUMNS)

    # values

    def constant(self, kind):
        c = self.choices
        if kind == "int":
            return f"{c.one_of(1, 2, 3, 5, 8, 0, 40, 100)}::int"
        if kind == "num":
            return c.one_of("0.5::numeric", "1.0::numeric", "0.0::numeric", "10.25::numeric")
        if kind == "bool":
            return c.one_of("true::bool", "false::bool", "NULL::bool")
        if kind == "label":
            return c.one_of("'spam'::text", "'ham'::text", "NULL::text")
        if kind == "model":
            return c.one_of("'m1'::text", "'m1@1'::text", "'m1@2'::text", "NULL::text")
        return c.one_of("'win a free prize'::text", "'see you at lunch'::text", "''::text", "'spam'::text", "NULL::text")

    def column(self, scope, kind):
        c = self.choices
        found = scope.of_type(kind)
        if scope.outer is not None and c.chance(25):
            found = scope.outer.of_type(kind) or found
        given = [sql for sql, t in self.parameters if t == kind]
        if given and c.chance(15):
            return c.one_of(*given)
        if not found or c.chance(4):
            return self.constant(kind)
        return c.one_of(*found)

    def value(self, kind, scope, depth):
        """An expression of a type"""
        c = self.choices
        if depth <= 0:
            return self.column(scope, kind)
        if kind == "bool":
            return f"({self.value_of('bool', scope, depth)})"
        return self.value_of(kind, scope, depth)

    def value_of(self, kind, scope, depth):
        c = self.choices
        return c.weighted(
            (24, lambda: self.column(scope, kind)),
            (40, lambda: getattr(self.calls, kind)(self, scope, depth)),
            (12, lambda: getattr(self, "operator_" + kind)(scope, depth - 1)),
            (5, lambda: f"CASE WHEN {self.value('bool', scope, depth - 1)} THEN {self.value(kind, scope, depth - 1)} "
                        f"{c.one_of('', 'WHEN ' + self.value('bool', scope, 0) + ' THEN ' + self.value(kind, scope, depth - 1) + ' ')}"
                        f"ELSE {self.value(kind, scope, depth - 1)} END"),
            (4, lambda: f"coalesce({self.value(kind, scope, depth - 1)}, {self.value(kind, scope, depth - 1)})"),
            (2, lambda: f"nullif({self.value(kind, scope, depth - 1)}, {self.value(kind, scope, 0)})"),
            (2, lambda: f"greatest({self.value(kind, scope, depth - 1)}, {self.value(kind, scope, 0)})"),
            (4, lambda: self.scalar(kind, scope, depth - 1)))()

    def operator_int(self, scope, depth):
        c = self.choices
        if self.may_fail and c.chance(60):
            return f"10 / ({self.column(scope, 'int')} - {c.one_of(31, 5, 17, 60, 2)})"
        if self.is_volatile and c.chance(40):
            return c.one_of(f"tick({self.column(scope, 'int')})", "tick_number()")
        return f"({self.value('int', scope, depth)} {c.one_of('+', '-', '*')} {self.value('int', scope, 0)})"

    def operator_num(self, scope, depth):
        c = self.choices
        return f"({self.value('num', scope, depth)} {c.one_of('+', '-', '*')} {self.value('num', scope, 0)})"

    def operator_text(self, scope, depth):
        c = self.choices
        if scope.tables and c.chance(12):
            return f"{c.one_of(*scope.tables)}.{c.one_of('tableoid::regclass', 'ctid')}::text"
        if scope.rows and c.chance(12):
            return f"({c.one_of(*scope.rows)})::text"
        return c.weighted(
            (3, lambda: f"({self.value('text', scope, depth)} || {c.one_of(' x', '')!r})"),
            (2, lambda: f"({self.value('text', scope, depth)} || {self.value('text', scope, 0)})"),
            (1, lambda: f"({self.value('int', scope, depth)})::text"),
            (1, lambda: f"(ARRAY[{self.value('text', scope, depth)}, {self.value('text', scope, 0)}])[{c.one_of(1, 2)}]"),
            (1, lambda: f"(ROW({self.value('text', scope, depth)}, 1) = ROW({self.value('text', scope, 0)}, 1))::text"))()

    def operator_bool(self, scope, depth):
        c = self.choices
        kind = c.one_of(*TYPES)
        return c.weighted(
            (5, lambda: f"{self.value(kind, scope, depth)} {c.one_of('=', '<>', '<', '>=')} {self.value(kind, scope, 0)}"),
            (4, lambda: f"{self.value('bool', scope, depth)} {c.one_of('AND', 'OR')} {self.value('bool', scope, depth)}"),
            (1, lambda: f"NOT {self.value('bool', scope, depth)}"),
            (1, lambda: f"({self.value(kind, scope, depth)}) IS {c.one_of('', 'NOT ')}NULL"),
            (1, lambda: f"{self.value('bool', scope, depth)} IS {c.one_of('TRUE', 'NOT TRUE', 'UNKNOWN')}"),
            (1, lambda: f"{self.value(kind, scope, depth)} IS DISTINCT FROM {self.value(kind, scope, 0)}"),
            (1, lambda: f"{self.value('int', scope, depth)} BETWEEN {self.value('int', scope, 0)} AND {self.value('int', scope, 0)}"),
            (1, lambda: "clock_timestamp() > '2000-01-01'"),
            (3, lambda: self.subquery_condition(scope, depth)))()

    # subqueries in expressions; none stands in another one's rows

    def inner(self, scope):
        return Scope(scope.columns, scope.rows, None, scope.tables) if scope.outer is None else Scope()

    def subquery_scope(self, relation, scope):
        """Mostly correlated"""
        own = relation.scope
        return Scope(own.columns, own.rows, None if self.choices.chance(20) else self.inner(scope), own.tables)

    def scalar(self, kind, scope, depth):
        c = self.choices
        if scope.outer is not None:
            return self.column(scope, kind)
        relation = self.table()
        own = self.subquery_scope(relation, scope)
        condition = self.equality(own.of_type("int"), scope.of_type("int")) if own.outer else self.value("bool", own, depth)
        value = self.value(kind, own, depth)
        call = "bool_or" if kind == "bool" else c.one_of("max", "min")
        return f"(SELECT {call}(c) FROM (SELECT {value} AS c FROM {relation.sql} WHERE {condition}) {self.alias()})"

    def subquery_condition(self, scope, depth):
        c = self.choices
        if scope.outer is not None:
            return self.column(scope, "bool")
        kind = c.one_of("int", "text", "num")
        relation = self.table()
        own = self.subquery_scope(relation, scope)
        where = self.value("bool", own, depth)
        if own.outer:
            where = f"{self.equality(own.of_type('int'), scope.of_type('int'))} AND {where}"
        query = f"SELECT {self.value(kind, own, depth)} FROM {relation.sql} WHERE {where}"
        x = self.value(kind, scope, depth)
        return c.weighted(
            (3, f"{c.one_of('', 'NOT ')}EXISTS ({query})"),
            (2, f"{x} {c.one_of('', 'NOT ')}IN ({query})"),
            (1, f"{x} = ANY (ARRAY({query}))"),
            (1, f"{x} >= ALL ({query})"))

    def equality(self, ours, theirs):
        c = self.choices
        if not ours or not theirs:
            return "true"
        return f"{c.one_of(*ours)} = {c.one_of(*theirs)}"

    # FROM

    def table(self, weight_of_bad=30):
        c = self.choices
        tables = [(w, (name, n)) for name, w, n in self.tables]
        if self.may_fail:
            tables.append((weight_of_bad, ("bad", 70)))
        name, n_rows = c.weighted(*tables)
        alias = self.alias()
        return Relation(f"{name} {alias}", alias, COLUMNS, n_rows, True)

    def relation(self, depth, outer=None):
        c = self.choices
        alias = self.alias()
        kind = c.weighted((60, "table"), (12, "subquery"), (12, "cte"), (4, "function"), (3, "values"), (2, "sample"))
        if kind == "subquery" and depth > 0:
            sql, kinds = self.select(depth - 1, outer)
            return Relation(f"({sql}) {alias}", alias, [(f"c{i + 1}", k) for i, k in enumerate(kinds)], 100)
        if kind == "cte" and self.ctes:
            name, columns, n_rows = c.one_of(*self.ctes)
            return Relation(f"{name} {alias}", alias, columns, n_rows)
        if kind == "function":
            return Relation(f"rows_of({c.pick(11)}) {alias}", alias, COLUMNS, 12, True)
        if kind == "values":
            rows = ", ".join(f"({self.constant('int')}, {self.constant('text')})" for _ in range(2 + c.pick(3)))
            return Relation(f"(VALUES {rows}) {alias}(c1, c2)", alias, [("c1", "int"), ("c2", "text")], 4)
        if kind == "sample" and not self.is_parallel:
            return Relation(f"t {alias} TABLESAMPLE BERNOULLI (40) REPEATABLE (5)", alias, COLUMNS, 60, True)
        return self.table()

    def join(self, left, depth):
        """Another item of FROM, joined"""
        c = self.choices
        scope, sql, n_rows = left
        kind = c.weighted((10, "JOIN"), (6, "LEFT JOIN"), (2, "RIGHT JOIN"), (2, "FULL JOIN"), (3, "LATERAL"))
        if kind == "LATERAL":
            right = self.relation(depth, scope) if depth > 0 else self.table()
            if right.sql.startswith("("):
                head, tail = c.one_of(("CROSS JOIN", ""), ("LEFT JOIN", " ON true"))
                return scope.plus(right.scope), f"{sql} {head} LATERAL {right.sql}{tail}", n_rows * 10
            kind = "JOIN"
        else:
            right = self.relation(depth - 1)
        ours, theirs = scope.of_type("int"), right.scope.of_type("int")
        if not ours or not theirs:
            if n_rows * right.n_rows > MAX_ROWS:
                return left
            return scope.plus(right.scope), f"{sql} CROSS JOIN {right.sql}", n_rows * right.n_rows
        if n_rows * right.n_rows > 10 * MAX_ROWS:
            ours, theirs = ours[:1], theirs[:1]
        both = scope.plus(right.scope)
        condition = self.equality(ours, theirs)
        if kind != "FULL JOIN" and c.chance(40):
            condition += f" AND {self.value('bool', both, 2)}"
        if n_rows * right.n_rows < MAX_ROWS and kind == "JOIN" and c.chance(25):
            condition = f"{self.value('text', scope, 2)} = {self.value('text', right.scope, 1)}"
        return both, f"{sql} {kind} {right.sql} ON {condition}", max(n_rows, right.n_rows) * 4

    def source(self, depth, outer):
        c = self.choices
        first = self.relation(depth, outer if depth > 0 else None)
        joined = (first.scope, first.sql, first.n_rows)
        for _ in range(c.weighted((60, 0), (30, 1), (10, 2))):
            if joined[2] <= MAX_ROWS:
                joined = self.join(joined, depth)
        scope = joined[0]
        scope.outer = outer
        where = f" WHERE {self.value('bool', scope, 3)}" if c.chance(60) else ""
        return scope, joined[1] + where

    # SELECT

    def kinds(self):
        c = self.choices
        return tuple(c.one_of("text", "int", "num", "bool") for _ in range(1 + c.weighted((30, 0), (40, 1), (30, 2))))

    def select(self, depth, outer=None, kinds=None):
        """(SQL, types of its columns, which are called c1, c2, ...)"""
        c = self.choices
        kinds = kinds or self.kinds()
        if depth > 0 and c.chance(10):
            return self.set_operation(depth, outer, kinds), kinds
        scope, source = self.source(depth, outer)
        form = c.weighted((55, self.plain), (25, self.aggregate), (12, self.window), (8, self.distinct))
        return form(scope, source, kinds) + self.limit(kinds), kinds

    def set_operation(self, depth, outer, kinds):
        c = self.choices
        operation = c.one_of("UNION ALL", "UNION", "INTERSECT", "EXCEPT", "INTERSECT ALL", "EXCEPT ALL")
        left, right = (self.select(depth - 1, outer, kinds)[0] for _ in range(2))
        return f"({left}) {operation} ({right}){self.order_all(kinds) if c.chance(50) else ''}"

    def named(self, values):
        return ", ".join(f"{x} AS c{i + 1}" for i, x in enumerate(values))

    def plain(self, scope, source, kinds):
        c = self.choices
        values = [self.value(kind, scope, 3) for kind in kinds]
        if kinds[0] == "text" and c.chance(4):
            values[0] = f"unnest(ARRAY[{values[0]}, 'x'])"
        return f"SELECT {self.named(values)} FROM {source}"

    def distinct(self, scope, source, kinds):
        c = self.choices
        values = [self.value(kind, scope, 2) for kind in kinds]
        if c.chance(40):
            on = c.one_of(*values)
            everything = ", ".join([on] + [sql for sql, _ in scope.columns] + values)
            return f"SELECT * FROM (SELECT DISTINCT ON ({on}) {self.named(values)} FROM {source} ORDER BY {everything}) {self.alias()}"
        return f"SELECT DISTINCT {self.named(values)} FROM {source}"

    def aggregated(self, kind, scope):
        c = self.choices
        x = self.value(kind, scope, 2)
        if kind == "int":
            y = self.value(c.one_of(*TYPES), scope, 2)
            call = c.one_of("count(*)", f"count({y})", f"count(DISTINCT {y})", f"max({x})", f"sum({x})")
        elif kind == "num":
            call = c.one_of(f"sum({x})", f"round(avg({x}), 6)", f"max({x})", f"min({x})", f"sum(DISTINCT {x})")
        elif kind == "bool":
            call = c.one_of(f"bool_or({x})", f"bool_and({x})")
        else:
            call = c.one_of(f"max({x})", f"string_agg({x}, ',' ORDER BY {x})", f"string_agg(DISTINCT {x}, ',' ORDER BY {x})",
                            f"min({x})", f"percentile_disc(0.5) WITHIN GROUP (ORDER BY {x})")
        if c.chance(15) and not call.startswith("round"):
            call += f" FILTER (WHERE {self.value('bool', scope, 2)})"
        return call

    def aggregate(self, scope, source, kinds):
        c = self.choices
        n_keys = min(c.weighted((40, 1), (30, 0), (30, 2)), len(kinds))
        values = [self.value(kind, scope, 2) for kind in kinds[:n_keys]]
        values += [self.aggregated(kind, scope) for kind in kinds[n_keys:]]
        keys = ", ".join(str(i + 1) for i in range(n_keys))
        group = ""
        if n_keys > 0:
            group = " GROUP BY " + c.weighted((6, keys), (1, f"ROLLUP ({keys})"), (1, f"CUBE ({keys})"),
                                              (1, f"GROUPING SETS (({keys}), ())"))
        if c.chance(20):
            group += f" HAVING {self.aggregated('bool', scope)}"
        return f"SELECT {self.named(values)} FROM {source}{group}"

    def window(self, scope, source, kinds):
        c = self.choices
        everything = ", ".join(sql for sql, _ in scope.columns)
        first = self.value(c.one_of(*TYPES), scope, 2)
        order = f"ORDER BY {first}, {everything}" if self.is_parallel or c.chance(70) else f"ORDER BY {first}"
        partition = f"PARTITION BY {self.value(c.one_of('text', 'bool', 'int'), scope, 2)} " if c.chance(50) else ""
        frame = c.weighted((6, ""), (1, " ROWS BETWEEN 2 PRECEDING AND CURRENT ROW"),
                           (1, " ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING"))
        values = []
        for kind in kinds:
            x = self.value(kind, scope, 2)
            if c.chance(40):
                values.append(x)
                continue
            if kind == "int":
                call = c.one_of("row_number()", "rank()", f"count({x})", f"lag({x})", "ntile(3)")
            elif kind == "num":
                call = c.one_of(f"sum({x})", f"max({x})", f"lead({x}, 2)")
            elif kind == "bool":
                call = c.one_of(f"bool_or({x})", f"first_value({x})")
            else:
                call = c.one_of(f"lag({x})", f"first_value({x})", f"last_value({x})", f"max({x})", f"nth_value({x}, 2)")
            values.append(f"{call} OVER ({partition}{order}{frame})")
        query = f"SELECT {self.named(values)} FROM {source}"
        if kinds[0] == "int" and c.chance(20):
            return f"SELECT * FROM ({query}) {self.alias()} WHERE c1 <= {c.one_of(3, 1, 10)}"
        return query

    def order_all(self, kinds):
        return " ORDER BY " + ", ".join(f"{i + 1}{self.choices.one_of('', ' DESC')}" for i in range(len(kinds)))

    def limit(self, kinds):
        c = self.choices
        order = c.weighted((45, ""), (35, self.order_all(kinds)), (20, " ORDER BY 1"))
        if not c.chance(28):
            return order
        if self.is_parallel:
            order = self.order_all(kinds)
        given = [sql for sql, kind in self.parameters if kind == "int"]
        count = c.one_of("3", "1", "10", "2", "0", "30", "NULL", "(SELECT 4)", *[f"{x}::bigint" for x in given])
        offset = c.weighted((6, ""), (1, " OFFSET 2"), (1, " OFFSET 11"))
        if order and c.chance(15):
            return f"{order}{offset} FETCH FIRST 4 ROWS WITH TIES"
        return f"{order} LIMIT {count}{offset}"

    def query(self):
        """A whole statement, with its WITH"""
        c = self.choices
        heads = []
        if c.chance(6):
            heads.append(self.recursive())
        for _ in range(c.weighted((80, 0), (14, 1), (6, 2))):
            sql, kinds = self.select(1)
            name = f"w{len(self.ctes) + 1}"
            heads.append(f"{name} AS {c.one_of('', 'MATERIALIZED ', 'NOT MATERIALIZED ')}({sql})")
            self.ctes.append((name, [(f"c{i + 1}", k) for i, k in enumerate(kinds)], 100))
        sql, kinds = self.select(2)
        if heads:
            sql = f"WITH RECURSIVE {', '.join(heads)} {sql}"
        return sql, kinds

    def recursive(self):
        c = self.choices
        name = f"w{len(self.ctes) + 1}"
        first = self.table(0)
        again = Scope([(f"{name}.c1", "int"), (f"{name}.c2", "text")])
        sql = (f"{name}(c1, c2) AS (SELECT {first.alias}.id, {self.value('text', first.scope, 2)} FROM {first.sql} "
               f"WHERE {first.alias}.id <= 6 {c.one_of('UNION ALL', 'UNION')} "
               f"SELECT c1 + 2, {self.value('text', again, 2)} FROM {name} WHERE c1 < 9)")
        self.ctes.append((name, [("c1", "int"), ("c2", "text")], 30))
        return sql
