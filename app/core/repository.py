"""What every repository has: the session of the current unit of work, and finding a row by its key."""

from collections.abc import Mapping
from typing import Any, Generic, TypeVar, cast
from uuid import UUID

from sqlalchemy.orm import Session, make_transient_to_detached

from app.core.db import Base
from app.core.errors import not_found
from app.core.quick_statements import QuickSelect
from app.core.uow import UnitOfWork

Row = TypeVar("Row", bound=Base)


class Repository(Generic[Row]):
    """All SQL of one feature lives in its child of this class. It never commits and never decides.

    Attributes:
        model: the mapped class.
        noun: what a missing row is called in an error.
    """

    model: type[Row]
    noun = "resource"

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow

    @property
    def session(self) -> Session:
        return self._uow.session

    def one(self, statement: QuickSelect, values: Mapping[str, Any]) -> Any:
        """The only row that a statement of plain columns finds, read without the session, or ``None``."""
        return statement.one_or_none(self._uow.connection, values)

    def made(self, values: Mapping[str, Any]) -> Row:
        """A row that was read without the session, as if it had been loaded. Args: values: of every column."""
        row = cast("Row", self.model.__mapper__.class_manager.new_instance())
        row.__dict__.update(values)
        return row

    def adopt(self, row: Row) -> Row:
        """Let the session have such a row, which it does not know, as if it had loaded it."""
        make_transient_to_detached(row)
        self.session.add(row)
        return row

    def find(self, key: UUID, *, lock: bool = False) -> Row | None:
        """The row, or ``None``. ``lock`` takes FOR NO KEY UPDATE, which lets inserts of children pass.

        A locked row is as it is now, also where this unit of work had read it before; one with a version that moved
        in between is a conflict, so that the whole use case runs again.
        """
        if not lock:
            return self.session.get(self.model, key)
        self.session.flush()
        anew = self.model.__mapper__.version_id_col is None
        return self.session.get(self.model, key, with_for_update={"key_share": True}, populate_existing=anew)

    def require(self, key: UUID, *, lock: bool = False) -> Row:
        """The row.

        Raises:
            AppError: ``not_found``.
        """
        row = self.find(key, lock=lock)
        if row is None:
            raise not_found(self.noun)
        return row

    def add(self, row: Row) -> Row:
        self.session.add(row)
        return row

    def flush(self) -> None:
        self.session.flush()
