"""Random scripts: statements that one transaction runs, around random queries."""

from queries import Generator

SWITCHES = ("enable_hashjoin", "enable_mergejoin", "enable_nestloop", "enable_hashagg", "enable_sort",
            "enable_material", "enable_memoize", "enable_indexscan", "enable_indexonlyscan", "enable_bitmapscan",
            "enable_seqscan", "enable_incremental_sort")
OTHERS = (("enable_partitionwise_join", "on"), ("enable_partitionwise_aggregate", "on"), ("work_mem", "'64kB'"),
          ("join_collapse_limit", "1"), ("from_collapse_limit", "1"), ("cursor_tuple_fraction", "1"),
          ("aiaas.max_batch_memory", "64"), ("aiaas.threads", "1"), ("aiaas.threads", "2"))
PARALLEL = (("parallel_setup_cost", "0"), ("parallel_tuple_cost", "0"), ("min_parallel_table_scan_size", "0"),
            ("min_parallel_index_scan_size", "0"))


class Script:
    """
    settings: (name, value), local to the transaction.  Of the statements those in effects
    come last, and ask what the others have done; cleanup is done outside of it.  {batch}
    stands for "on" or "off".
    stops_early: something reads less than a query would give.
    """

    def __init__(self):
        self.settings = []
        self.statements = []
        self.effects = []
        self.cleanup = []
        self.stops_early = False
        self.is_ordered = True      # rows come in one order
        self.may_fail = False


class Scripts:
    """make() returns a script; place is a file that the server may write."""

    def __init__(self, choices, calls, place, debug):
        self.choices = choices
        self.calls = calls
        self.place = place
        self.debug = debug
        self.script = Script()
        self.tables = ()

    def make(self):
        c = self.choices
        form = c.weighted((50, self.plain), (10, self.prepared), (12, self.cursor), (8, self.procedural),
                          (14, self.changes), (6, self.stored))
        # others have no parallel plans, or make many little ones
        self.is_parallel = form in (self.plain, self.prepared, self.stored) and c.chance(16)
        self.script.may_fail = c.chance(22)
        self.is_volatile = c.chance(10)
        self.script.settings = self.settings()
        self.script.is_ordered = not self.is_parallel
        if self.is_volatile:
            self.script.effects.append("SELECT last_value, is_called FROM ticks")
        form()
        return self.script

    def settings(self):
        c = self.choices
        chosen = [(name, "off") for name in c.some_of(SWITCHES, 9)] + c.some_of(OTHERS, 7)
        if self.is_parallel:
            chosen += PARALLEL
            chosen.append(("{parallel}", c.one_of("off", "on", "on")))
            chosen.append(("parallel_leader_participation", c.one_of("on", "off")))
        if c.chance(1):
            chosen += [("jit", "on"), ("jit_above_cost", "0")]
        if self.script.may_fail and c.chance(30):
            chosen.append(("aiaas.max_input_bytes", "200"))
        if self.debug and c.chance(30):
            chosen.append(("aiaas.debug_batch_rows", c.one_of("1", "2", "3", "7", "20")))
        return chosen

    def generator(self, tables=(), is_parallel=None):
        return Generator(self.choices, self.calls, self.is_parallel if is_parallel is None else is_parallel,
                         self.script.may_fail, self.is_volatile, tables)

    def add(self, *statements):
        self.script.statements.extend(statements)

    def plain(self):
        sql, _ = self.generator().query()
        self.add(sql)
        if self.choices.chance(3):
            self.script.statements = ["SET LOCAL ROLE random_reader", sql.replace("FROM t ", "FROM r ")]

    # prepared statements

    def prepared(self):
        c = self.choices
        g = self.generator()
        g.parameters = [("$1", "int"), ("$2", "text"), ("$3", "bool")]
        sql, _ = g.query()
        mode = c.one_of("auto", "force_generic_plan", "force_custom_plan")
        self.add(f"SET LOCAL plan_cache_mode = {mode}", f"PREPARE q(int, text, bool) AS {sql}")
        for _ in range(1 + c.weighted((3, 1), (2, 0), (2, 3), (2, 6))):
            if c.chance(15):
                self.add(f"SET LOCAL aiaas.batch = {c.one_of('off', '{batch}')}")
            self.add(f"EXECUTE q({c.one_of(3, 1, 40, 0, 'NULL', 7)}, {g.constant('text')}, {g.constant('bool')})")
        self.script.cleanup.append("DEALLOCATE ALL")

    # cursors

    def cursor(self):
        c = self.choices
        if c.chance(25):
            return self.current_of()
        self.script.is_ordered = True
        sql, _ = self.generator(is_parallel=False).query()
        scroll = c.one_of("", "SCROLL ", "NO SCROLL ")
        hold = c.one_of("", "", "WITH HOLD ")
        self.add(f"DECLARE c {scroll}CURSOR {hold}FOR {sql}")
        moves = ["FETCH 1 FROM c", "FETCH 3 FROM c", "FETCH 20 FROM c", "MOVE 2 IN c", "FETCH ALL FROM c", "FETCH 0 FROM c"]
        if scroll != "NO SCROLL ":
            moves += ["FETCH BACKWARD 2 FROM c", "FETCH PRIOR FROM c", "FETCH FIRST FROM c", "FETCH LAST FROM c",
                      "FETCH ABSOLUTE 5 FROM c", "FETCH ABSOLUTE -2 FROM c", "FETCH RELATIVE -1 FROM c",
                      "MOVE BACKWARD ALL IN c", "FETCH BACKWARD ALL FROM c"]
        for i in range(1 + c.pick(6)):
            if c.chance(10):
                self.add(f"SAVEPOINT s{i}", c.one_of(*moves), f"ROLLBACK TO SAVEPOINT s{i}")
            if c.chance(8):
                self.add(f"SET LOCAL aiaas.batch = {c.one_of('off', '{batch}')}")
            if hold and c.chance(20):
                self.add("COMMIT")
            self.add(c.one_of(*moves))
        self.script.stops_early = True
        self.script.cleanup.append("CLOSE ALL")

    def current_of(self):
        c = self.choices
        self.make_table()
        g = self.generator(self.tables, False)
        scope = g.table_named("x")
        lock = c.one_of(" FOR UPDATE", "", " FOR UPDATE OF x", " FOR NO KEY UPDATE")
        order = c.one_of("", "", " ORDER BY id") if lock else ""
        value = g.value("text", scope, 2)
        self.add(f"DECLARE c {c.one_of('', 'NO SCROLL ')}CURSOR FOR SELECT id, {value} AS c1 FROM x "
                 f"WHERE {g.value('bool', scope, 2)}{order}{lock}")
        for _ in range(1 + c.pick(4)):
            self.add(c.one_of("FETCH 1 FROM c", "FETCH 3 FROM c", "MOVE 1 IN c"))
            self.add(c.one_of(f"UPDATE x SET label = {g.value('text', scope, 1)} WHERE CURRENT OF c RETURNING id, label",
                              "DELETE FROM x WHERE CURRENT OF c RETURNING id"))
        self.script.stops_early = True

    # PL/pgSQL

    def procedural(self):
        c = self.choices
        g = self.generator(is_parallel=False)
        self.script.is_ordered = True
        g.parameters = [("v_int", "int"), ("v_text", "text")]
        sql, kinds = g.query()
        row = " || ' ' || ".join(f"coalesce(r.c{i + 1}::text, '-')" for i in range(len(kinds)))
        leave = f"EXIT WHEN n >= {c.one_of(4, 1, 15)};" if c.chance(40) else ""
        note = f"INSERT INTO log (place, value) VALUES (n::text, {row});"
        body = c.weighted(
            (5, f"FOR r IN {sql} LOOP n := n + 1; {note} {leave} END LOOP;"),
            (2, f"OPEN k FOR {sql}; LOOP FETCH k INTO r; EXIT WHEN NOT FOUND; n := n + 1; {note} {leave} END LOOP; CLOSE k;"),
            (1, f"OPEN k SCROLL FOR {sql}; MOVE FORWARD 3 FROM k; FETCH PRIOR FROM k INTO r; IF FOUND THEN {note} END IF; "
                f"FETCH LAST FROM k INTO r; IF FOUND THEN {note} END IF; CLOSE k;"),
            (1, f"FOR r IN EXECUTE {quoted(sql.replace('v_int', '$1').replace('v_text', '$2'))} USING v_int, v_text LOOP "
                f"n := n + 1; {note} {leave} END LOOP;"),
            (1, f"SELECT q.* INTO r FROM ({sql}) q; IF FOUND THEN {note} END IF;"),
            (1, f"FOR r IN {sql} LOOP n := n + 1; BEGIN {note} IF n % 3 = 0 THEN RAISE division_by_zero; END IF; "
                f"EXCEPTION WHEN division_by_zero THEN INSERT INTO log (place) VALUES ('undone'); END; {leave} END LOOP;"))
        if c.chance(30):
            body = (f"BEGIN {body} EXCEPTION WHEN OTHERS THEN "
                    "INSERT INTO log (place, value) VALUES (SQLSTATE, SQLERRM); END;")
        self.add(f"DO $do$ DECLARE r record; k refcursor; n int := 0; v_int int := {c.one_of(3, 1, 40)}; "
                 f"v_text text := {g.constant('text')}; BEGIN {body} END $do$")
        self.script.stops_early = True
        self.script.effects.append("SELECT place, value FROM log ORDER BY number")

    # changes of a table x

    def make_table(self):
        c = self.choices
        self.is_partitioned = c.chance(12)
        if self.is_partitioned:
            self.add("CREATE TABLE x (LIKE t) PARTITION BY LIST (flag)", "CREATE TABLE x1 PARTITION OF x FOR VALUES IN (true)",
                     "CREATE TABLE x2 PARTITION OF x DEFAULT")
        else:
            self.add("CREATE TABLE x (LIKE t INCLUDING ALL)")
        self.add(f"INSERT INTO x SELECT * FROM {'bad' if self.script.may_fail else c.one_of('t', 'p')} WHERE id % {c.one_of(3, 2, 7)} = 1 ORDER BY id")
        if c.chance(15):
            self.add("CREATE TRIGGER a BEFORE INSERT OR UPDATE ON x FOR EACH ROW EXECUTE FUNCTION before_row()")
        if c.chance(15) and not self.is_partitioned:
            self.add("CREATE TRIGGER b AFTER INSERT ON x REFERENCING NEW TABLE AS changed EXECUTE FUNCTION after_statement()",
                     "CREATE TRIGGER c AFTER UPDATE ON x REFERENCING NEW TABLE AS changed EXECUTE FUNCTION after_statement()")
            self.script.effects.append("SELECT place, value FROM log ORDER BY number")
        self.script.effects.append("SELECT * FROM x ORDER BY x")
        self.tables = (("x", 5, 50),)

    def changes(self):
        c = self.choices
        self.make_table()
        for i in range(1 + c.pick(3)):
            statement = c.weighted((3, self.update), (3, self.insert), (2, self.delete), (2, self.merge),
                                   (2, self.with_changes), (2, self.lock))()
            if c.chance(20):
                self.add(f"SAVEPOINT s{i}", statement, f"ROLLBACK TO SAVEPOINT s{i}")
            else:
                self.add(statement)

    def returning(self, g, scope):
        c = self.choices
        return f" RETURNING {g.value('text', scope, 2)} AS c1, id" if c.chance(40) else ""

    def update(self):
        c = self.choices
        g = self.generator(self.tables)
        own = g.table_named("x")
        if c.chance(40):
            other = g.table()
            scope = own.plus(other.scope)
            return (f"UPDATE x SET label = {g.value('text', scope, 3)}, amount = {g.value('num', scope, 2)} FROM {other.sql} "
                    f"WHERE x.id = {other.alias}.id AND {g.value('bool', scope, 2)}")
        sets = c.weighted(
            (4, lambda: f"label = {g.value('text', own, 3)}"),
            (2, lambda: f"label = {g.value('text', own, 3)}, n = {g.value('int', own, 2)}, flag = {g.value('bool', own, 2)}"),
            (1, lambda: f"(label, amount) = (SELECT {g.value('text', own, 2)}, {g.value('num', own, 2)} FROM s WHERE s.id = x.id)"))()
        return f"UPDATE x SET {sets} WHERE {g.value('bool', own, 3)}{self.returning(g, own)}"

    def insert(self):
        c = self.choices
        g = self.generator(self.tables)
        other = g.table()
        scope = other.scope
        if c.chance(15):
            empty = type(scope)()
            return (f"INSERT INTO x (id, body, label) VALUES (1001, {g.value('text', empty, 2)}, 'a'), "
                    f"(1002, 'b', {g.value('text', empty, 2)})")
        conflict = "" if self.is_partitioned else c.weighted(
            (3, ""), (2, " ON CONFLICT DO NOTHING"),
            (2, f" ON CONFLICT (id) DO UPDATE SET label = ai_classify(excluded.body, 'm1'), n = x.n + 1"))
        key = f"{other.alias}.id" if conflict else f"1000 + {other.alias}.id"
        x = g.table_named("x") if conflict.startswith(" ON CONFLICT (") else type(scope)([("id", "int"), ("body", "text")])
        return (f"INSERT INTO x (id, n, body, label) SELECT {key}, {g.value('int', scope, 2)}, {g.value('text', scope, 2)}, "
                f"{g.value('text', scope, 3)} FROM {other.sql} WHERE {g.value('bool', scope, 2)} ORDER BY {other.alias}.id"
                f"{conflict}{self.returning(g, x) if conflict == '' else ''}")

    def delete(self):
        c = self.choices
        g = self.generator(self.tables)
        own = g.table_named("x")
        if c.chance(40):
            other = g.table()
            return (f"DELETE FROM x USING {other.sql} WHERE x.id = {other.alias}.id "
                    f"AND {g.value('bool', own.plus(other.scope), 3)}")
        return f"DELETE FROM x WHERE {g.value('bool', own, 3)}{self.returning(g, own)}"

    def merge(self):
        c = self.choices
        g = self.generator(self.tables)
        own = g.table_named("x")
        alias, both = "y", own.plus(g.named_scope("y", (("id", "int"), ("body", "text"), ("label", "text"), ("n", "int"))))
        other = g.table()
        return (f"MERGE INTO x USING (SELECT {other.alias}.id, {other.alias}.body, {g.value('text', other.scope, 3)} AS label, "
                f"{g.value('int', other.scope, 2)} AS n FROM {other.sql} WHERE {other.alias}.id > 0) {alias} ON x.id = y.id "
                f"WHEN MATCHED AND {g.value('bool', both, 2)} THEN UPDATE SET label = {g.value('text', both, 2)} "
                f"{c.one_of('', f'WHEN MATCHED AND x.flag THEN DELETE ')}"
                f"WHEN NOT MATCHED THEN INSERT (id, body, label, n) VALUES (y.id, y.body, y.label, y.n)")

    def with_changes(self):
        c = self.choices
        g = self.generator(self.tables)
        own = g.table_named("x")
        first = c.one_of(f"UPDATE x SET label = {g.value('text', own, 2)} WHERE {g.value('bool', own, 2)} RETURNING id, body, label",
                         f"DELETE FROM x WHERE {g.value('bool', own, 2)} RETURNING id, body, label")
        g.ctes.append(("d", [("id", "int"), ("body", "text"), ("label", "text")], 50))
        limit = c.one_of("", " LIMIT 3")
        d = g.named_scope("d", (("id", "int"), ("body", "text"), ("label", "text")))
        return f"WITH d AS ({first}) SELECT {g.value('text', d, 2)} AS c1, d.id FROM d WHERE {g.value('bool', d, 2)} ORDER BY d.id{limit}"

    def lock(self):
        c = self.choices
        g = self.generator(self.tables, False)
        own = g.table_named("x")
        return (f"SELECT x.id, {g.value('text', own, 3)} AS c1 FROM x WHERE {g.value('bool', own, 2)} ORDER BY "
                f"{c.one_of('x.id', g.value('text', own, 1) + ', x.id')}{c.one_of('', ' LIMIT 5', ' LIMIT 3 OFFSET 1')} "
                f"FOR {c.one_of('UPDATE', 'SHARE', 'UPDATE SKIP LOCKED')}")

    # results that are kept

    def stored(self):
        c = self.choices
        sql, kinds = self.generator().query()
        columns = ", ".join(f"c{i + 1}" for i in range(len(kinds)))
        kind = c.pick(4)
        if kind == 0:
            self.add(f"CREATE TABLE y AS {sql}", f"SELECT * FROM y ORDER BY {columns}")
        elif kind == 1:
            self.add(f"COPY ({sql}) TO '{self.place}'", f"SELECT line FROM string_to_table(pg_read_file('{self.place}'), E'\\n') line")
        elif kind == 2:
            self.add(f"CREATE MATERIALIZED VIEW y AS {sql}", f"SELECT * FROM y ORDER BY {columns}", "REFRESH MATERIALIZED VIEW y",
                     f"SELECT * FROM y ORDER BY {columns}")
        else:
            self.add(f"CREATE VIEW y AS {sql}", f"SELECT * FROM y{c.one_of('', ' LIMIT 2') if self.script.is_ordered else ''}")


def quoted(sql):
    return "'" + sql.replace("'", "''") + "'"
