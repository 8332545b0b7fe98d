"""The one row that all processes share: the sign-out epoch, the test clock, whether the demo cast lives here."""

import time
from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, DateTime, Engine, select, text, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, reading
from app.core.telemetry import log
from app.core.uow import UnitOfWork

logger = log(__name__)
MAX_AGE = 0.8


class SystemState(Base):
    """Exactly one row; the migration inserts it."""

    __tablename__ = "system_state"
    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    database_id: Mapped[UUID]
    auth_epoch: Mapped[int]
    clock_offset_seconds: Mapped[int]
    demo_seeded_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class SharedClockOffset:
    """The test clock's offset as this process last read it, at most ``MAX_AGE`` seconds ago.

    ``refresh`` is called where a request or job begins, before it takes a connection of its own.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = reading(engine)
        self._seconds = 0
        self._read_at = float("-inf")

    def __call__(self) -> float:
        return self._seconds

    def refresh(self, *, force: bool = False) -> None:
        if not force and time.monotonic() - self._read_at < MAX_AGE:
            return
        self._read_at = time.monotonic()
        try:
            with self._engine.connect() as connection:
                self._seconds = connection.scalar(select(SystemState.clock_offset_seconds)) or 0
        except SQLAlchemyError:
            logger.debug("clock_offset_not_read")


class SystemRepository:
    """Reads and moves the shared row."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow

    def read(self) -> SystemState:
        return self._uow.session.execute(select(SystemState)).scalar_one()

    def auth_epoch(self) -> int:
        return self._uow.session.execute(select(SystemState.auth_epoch)).scalar_one()

    def move_auth_epoch(self) -> int:
        """End every session of everybody; the answer is the new epoch."""
        moved = (
            update(SystemState)
            .values(auth_epoch=SystemState.auth_epoch + 1)
            .returning(SystemState.auth_epoch)
        )
        return self._uow.session.execute(moved).scalar_one()

    def set_clock_offset(self, seconds: int) -> int:
        """Set the offset; the answer is by how much it moved."""
        before = self._uow.session.execute(
            select(SystemState.clock_offset_seconds).with_for_update()
        ).scalar_one()
        self._uow.session.execute(update(SystemState).values(clock_offset_seconds=seconds))
        return seconds - before

    def pull_jobs_forward(self, seconds: int) -> None:
        """Make waiting jobs due as if so much time had passed: the queue compares with the server's own clock."""
        self._uow.session.execute(
            text(
                "UPDATE procrastinate_jobs SET scheduled_at = scheduled_at - make_interval(secs => :seconds)"
                " WHERE status = 'todo' AND scheduled_at IS NOT NULL"
            ),
            {"seconds": seconds},
        )

    def mark_demo_seeded(self, moment: datetime) -> None:
        self._uow.session.execute(update(SystemState).values(demo_seeded_at=moment))
