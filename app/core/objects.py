"""Which objects of the storage are not, or not any more, anybody's.

Whoever stores an object asks for a key first: from then on the key stands here with the moment at which it is swept, unless a
row of a feature takes the object over in the transaction that makes it visible. So no crash leaves an object that nobody knows
of. Triggers of migration 0013 bring back the keys of rows that are deleted, whatever deleted them. The job ``objects.sweep``
empties the table along its key.
"""

import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import DateTime, Index, String, delete, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, mapped_column

from app.core.clock import Clock
from app.core.db import Base, rows_changed
from app.core.storage.interface import ObjectStore
from app.core.telemetry import log
from app.core.uow import UnitOfWork

logger = log(__name__)
BATCH = 100
PATIENCE = timedelta(hours=1)
"""How long an object may take to be stored and taken over."""


class DoomedObject(Base):
    """``claimed`` means that a sweep has begun with it: nobody can take it over any more."""

    __tablename__ = "doomed_objects"
    __table_args__ = (Index("ix_doomed_objects_due_at", "due_at"),)

    object_key: Mapped[str] = mapped_column(String(200, collation="C"), primary_key=True)
    due_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    claimed: Mapped[bool] = mapped_column(default=False, server_default=text("false"))


class Objects:
    """The life of objects, in the caller's transaction where nothing else is said."""

    def __init__(self, uow: UnitOfWork, store: ObjectStore, clock: Clock) -> None:
        self._uow = uow
        self._store = store
        self._clock = clock

    def promise(self, kind: str, patience: timedelta = PATIENCE) -> str:
        """A key for an object that will be stored: random, so that nothing about it can be guessed (SEC-46).

        Args:
            kind: what its key begins with.
            patience: how long it may wait to be taken over.
        """
        key = f"{kind}/{secrets.token_hex(16)}"
        with self._uow:
            self._uow.session.add(DoomedObject(object_key=key, due_at=self._clock.now() + patience))
            self._uow.session.flush()
        return key

    def prolong(self, key: str, patience: timedelta) -> bool:
        """Let it wait longer; whether it was still there to wait."""
        waiting = update(DoomedObject).where(DoomedObject.object_key == key, ~DoomedObject.claimed)
        with self._uow:
            return bool(rows_changed(self._uow.session, waiting.values(due_at=self._clock.now() + patience)))

    def confirm(self, key: str) -> bool:
        """Whether an object that has been stored by now may still be taken over.

        Whoever was stopped for too long stores it after the sweep has been there. Then the key is written down anew, and the
        next sweep comes for it: only who stored it may ask this, and before the key can be anybody's.
        """
        waiting = select(DoomedObject.object_key).where(DoomedObject.object_key == key, ~DoomedObject.claimed)
        due = {"due_at": self._clock.now(), "claimed": False}
        again = insert(DoomedObject).values(object_key=key, **due)
        with self._uow:
            if self._uow.session.scalar(waiting.with_for_update()) is not None:
                return True
            # No claim any more: a sweep that is just at it must not forget the key.
            self._uow.session.execute(
                again.on_conflict_do_update(index_elements=[DoomedObject.object_key], set_=due)
            )
            return False

    def adopt(self, key: str) -> bool:
        """A row of the caller's transaction takes the object over; whether it was still there to be taken."""
        waiting = delete(DoomedObject).where(DoomedObject.object_key == key, ~DoomedObject.claimed)
        return bool(rows_changed(self._uow.session, waiting))

    def drop(self, keys: Iterable[str]) -> None:
        """Let the next sweep remove what was promised and is not wanted."""
        due = update(DoomedObject).where(DoomedObject.object_key.in_(list(keys)))
        with self._uow:
            self._uow.session.execute(due.values(due_at=self._clock.now()))

    def sweep(self) -> int:
        """Remove what is due, in batches; the answer is how many. An object that is away already is no fault."""
        removed = 0
        while keys := self._claim():
            for key in keys:
                self._store.delete(key)
            with self._uow:
                gone = delete(DoomedObject).where(DoomedObject.object_key.in_(keys), DoomedObject.claimed)
                self._uow.session.execute(gone)
            removed += len(keys)
        if removed:
            logger.info("objects_swept", count=removed)
        return removed

    def sweep_unfinished(self) -> int:
        """Remove what the storage itself was left with by writers that died; the answer is how many."""
        return self._store.sweep_unfinished(self._clock.now() - PATIENCE)

    def _claim(self) -> list[str]:
        """Take a batch for oneself; what another sweep left claimed is taken too, since removing twice is removing once."""
        with self._uow:
            due = (
                update(DoomedObject)
                .where(
                    DoomedObject.object_key.in_(
                        text(
                            "SELECT object_key FROM doomed_objects WHERE due_at <= :now"
                            " ORDER BY due_at LIMIT :most FOR UPDATE SKIP LOCKED"
                        )
                        .bindparams(now=self._clock.now(), most=BATCH)
                        .columns(DoomedObject.object_key)
                    )
                )
                .values(claimed=True)
                .returning(DoomedObject.object_key)
            )
            return list(self._uow.session.execute(due).scalars())
