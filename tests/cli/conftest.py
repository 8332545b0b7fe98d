"""Commands need a way to be given, and some of them a database that they may spoil."""

from tests.fixtures.command_line import flask, make_own_app, own_app, own_database, own_sql
from tests.fixtures.queue import queue

__all__ = ["flask", "make_own_app", "own_app", "own_database", "own_sql", "queue"]
