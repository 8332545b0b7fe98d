"""Driver errors become ours: one map from SQLSTATE and exception class to a code (traps T19, T5).

A unique constraint names its own error: ``Index(..., info={"error": (Code.x, "sentence")})``.
"""

from functools import lru_cache
from typing import Any

from sqlalchemy import exc
from sqlalchemy.orm.exc import StaleDataError

from app.core.db import Base
from app.core.errors import AppError, Code
from app.core.quick_statements import MISSED
from app.core.round_trips import NOT_AS_PREPARED

MET = {"40001", "40P01", "23503"}
"""Not serialisable, a deadlock, or a row that another row needs went or came meanwhile."""
TIMED_OUT = {"57014", "55P03"}
UNAVAILABLE_CLASSES = ("08", "53", "57P")
SCHEMA_BEHIND = {"42P01", "42703", "3F000"}
NO_NUMBER = "22P02"
"""With ``MISSED``: an UPDATE did not meet its row."""
READ_ONLY = "25006"
UNIQUE = "23505"
LOST_BEFORE = "8s2b"
"""SQLAlchemy's own code; the other one that this class of error has means a bug of ours."""


class RetryableConflict(AppError):
    """Two transactions met; running the whole use case again is right. Its last form is 409 write_conflict."""

    def __init__(self) -> None:
        super().__init__(
            Code.write_conflict, "Somebody else changed this at the same moment. Try again.", retry_after=1
        )


def translate(error: BaseException) -> AppError | None:
    """The error to tell instead, or ``None`` when this is no database error or a bug of ours."""
    if isinstance(error, StaleDataError):
        return RetryableConflict()
    if isinstance(error, exc.TimeoutError):
        return _overloaded()
    if isinstance(error, exc.DisconnectionError) or _on_a_lost_connection(error):
        return database_unavailable()
    return _from_driver(error) if isinstance(error, exc.DBAPIError) else None


def _on_a_lost_connection(error: BaseException) -> bool:
    """A statement after the one that lost the connection, in a block that went on after it."""
    return isinstance(error, exc.PendingRollbackError) and error.code == LOST_BEFORE


def database_unavailable() -> AppError:
    return AppError(
        Code.database_unavailable, "The database cannot be reached. Try again soon.", retry_after=2
    )


def read_only() -> AppError:
    return AppError(
        Code.read_only, "The service is read-only at the moment. Try again later.", retry_after=30
    )


def _overloaded() -> AppError:
    return AppError(Code.overloaded, "The service is busy. Try again soon.", retry_after=2)


def _from_driver(error: exc.DBAPIError) -> AppError | None:  # noqa: PLR0911 - one line a class of SQLSTATE reads as a table
    state = getattr(error.orig, "pgcode", None) or ""
    if state in MET or state in NOT_AS_PREPARED or (state == NO_NUMBER and MISSED in str(error.orig)):
        return RetryableConflict()
    if state == UNIQUE:
        return _unique(error.orig)
    if state in TIMED_OUT:
        return _overloaded()
    if state == READ_ONLY:
        return read_only()
    lost = error.connection_invalidated or (
        not state and isinstance(error, exc.OperationalError | exc.InterfaceError)
    )
    if lost or state in SCHEMA_BEHIND or state.startswith(UNAVAILABLE_CLASSES):
        return database_unavailable()
    if state.startswith("22"):
        return AppError(Code.validation_failed, "A value of the request is outside what can be stored.")
    return None


def _unique(driver_error: Any) -> AppError:
    name = driver_error.diag.constraint_name
    code, detail = _declared().get(name, (Code.write_conflict, "This conflicts with something that exists."))
    return AppError(code, detail)


@lru_cache(maxsize=1)
def _declared() -> dict[str, tuple[Code, str]]:
    tables = Base.metadata.tables.values()
    named: list[Any] = [thing for table in tables for thing in (*table.constraints, *table.indexes)]
    return {str(thing.name): thing.info["error"] for thing in named if "error" in thing.info}
