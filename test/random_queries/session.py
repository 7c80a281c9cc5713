"""A session in which statements may fail."""

import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "bench"))
from pq import COMMAND_OK, CONNECTION_OK, LIBPQ, TUPLES_OK, Connection  # noqa: E402

import ctypes  # noqa: E402

LIBPQ.PQresultErrorField.restype = ctypes.c_char_p
LIBPQ.PQresultErrorField.argtypes = ctypes.c_void_p, ctypes.c_int
LIBPQ.PQcmdStatus.restype = ctypes.c_char_p
LIBPQ.PQcmdStatus.argtypes = (ctypes.c_void_p,)

# SQLSTATE, message, detail, hint, context
ERROR_FIELDS = [ord(x) for x in "CMDHW"]


class Lost(Exception):
    """The server has closed the connection."""


class Outcome:
    """What a statement did: an error's fields, or a tag and rows"""

    def __init__(self, error=None, tag="", rows=()):
        self.error = error
        self.tag = tag
        self.rows = rows

    def lines(self, limit=12):
        if self.error:
            return ["ERROR " + ": ".join(x for x in self.error if x)]
        shown = [self.tag] + ["  " + " | ".join("NULL" if x is None else x for x in row)[:160] for row in self.rows[:limit]]
        return shown + ([f"  ... {len(self.rows) - limit} rows more"] if len(self.rows) > limit else [])


class Session(Connection):
    def __init__(self, database, settings):
        self.database = database
        super().__init__(f"dbname={database}")
        for sql in settings:
            self.execute(sql)
        self.settings = settings

    def attempt(self, sql):
        result = LIBPQ.PQexec(self.conn, sql.encode())
        status = LIBPQ.PQresultStatus(result)
        if status in (COMMAND_OK, TUPLES_OK):
            tag = LIBPQ.PQcmdStatus(result).decode()
            return Outcome(tag=tag, rows=self.rows(result, sql))
        fields = (LIBPQ.PQresultErrorField(result, x) for x in ERROR_FIELDS)
        error = tuple((x or b"").decode(errors="replace") for x in fields)
        LIBPQ.PQclear(result)
        if LIBPQ.PQstatus(self.conn) != CONNECTION_OK:
            raise Lost
        return Outcome(error=error)

    def reconnect(self):
        """After a crash, when the server is back"""
        LIBPQ.PQfinish(self.conn)
        for _ in range(300):
            time.sleep(0.1)
            trial = LIBPQ.PQconnectdb(f"dbname={self.database}".encode())
            is_good = LIBPQ.PQstatus(trial) == CONNECTION_OK
            LIBPQ.PQfinish(trial)
            if is_good:
                break
        self.__init__(self.database, self.settings)
