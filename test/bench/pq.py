"""A connection to PostgreSQL over libpq, as thin as a stopwatch wants it.

Times are of libpq's own call: from the text of a statement to the complete
result in memory, before Python looks at it.
"""

import ctypes
import ctypes.util
import sys
import time

CONNECTION_OK = 0
COMMAND_OK, TUPLES_OK, COPY_IN = 1, 2, 4


def library():
    libpq = ctypes.CDLL(ctypes.util.find_library("pq") or "libpq.so.5")
    text, pointer, number = ctypes.c_char_p, ctypes.c_void_p, ctypes.c_int
    for name, returned, *taken in (
            ("PQconnectdb", pointer, text),
            ("PQstatus", number, pointer),
            ("PQerrorMessage", text, pointer),
            ("PQfinish", None, pointer),
            ("PQbackendPID", number, pointer),
            ("PQexec", pointer, pointer, text),
            ("PQsendQuery", number, pointer, text),
            ("PQgetResult", pointer, pointer),
            ("PQputCopyData", number, pointer, text, number),
            ("PQputCopyEnd", number, pointer, text),
            ("PQresultStatus", number, pointer),
            ("PQresultErrorMessage", text, pointer),
            ("PQntuples", number, pointer),
            ("PQnfields", number, pointer),
            ("PQgetisnull", number, pointer, number, number),
            ("PQgetvalue", text, pointer, number, number),
            ("PQclear", None, pointer)):
        function = getattr(libpq, name)
        function.restype, function.argtypes = returned, taken
    return libpq


LIBPQ = library()


class Connection:
    """conninfo adds to the environment: PGHOST, PGUSER and so on."""

    def __init__(self, conninfo=""):
        self.conn = LIBPQ.PQconnectdb(conninfo.encode())
        if LIBPQ.PQstatus(self.conn) != CONNECTION_OK:
            sys.exit(LIBPQ.PQerrorMessage(self.conn).decode().strip())
        self.pid = LIBPQ.PQbackendPID(self.conn)
        self.execute("SET client_min_messages = warning")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        LIBPQ.PQfinish(self.conn)

    def timed(self, sql):
        """(seconds, rows): rows are tuples of text or None"""
        start = time.perf_counter()
        result = LIBPQ.PQexec(self.conn, sql.encode())
        seconds = time.perf_counter() - start
        return seconds, self.rows(result, sql)

    def execute(self, sql):
        return self.timed(sql)[1]

    def rows(self, result, sql):
        if LIBPQ.PQresultStatus(result) not in (COMMAND_OK, TUPLES_OK, COPY_IN):
            sys.exit(f"{LIBPQ.PQresultErrorMessage(result).decode()}in: {sql}")
        fields = range(LIBPQ.PQnfields(result))
        rows = [tuple(None if LIBPQ.PQgetisnull(result, i, j)
                      else LIBPQ.PQgetvalue(result, i, j).decode() for j in fields)
                for i in range(LIBPQ.PQntuples(result))]
        LIBPQ.PQclear(result)
        return rows

    def copy_in(self, sql, lines):
        """lines end with a newline and are in COPY's text format."""
        self.execute(sql)
        for line in lines:
            LIBPQ.PQputCopyData(self.conn, line.encode(), len(line.encode()))
        LIBPQ.PQputCopyEnd(self.conn, None)
        self.finish(sql)

    def send(self, sql):
        LIBPQ.PQsendQuery(self.conn, sql.encode())

    def outcome(self):
        """Wait for what was sent; the error's message, empty when it succeeded."""
        message = ""
        while result := LIBPQ.PQgetResult(self.conn):
            message += LIBPQ.PQresultErrorMessage(result).decode()
            LIBPQ.PQclear(result)
        return message

    def finish(self, sql):
        message = self.outcome()
        if message:
            sys.exit(f"{message}in: {sql}")
