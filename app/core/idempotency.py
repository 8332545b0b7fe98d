"""Stored answers of writes that carried an Idempotency-Key (SEC-50).

Kept ``IDEMPOTENCY_HOURS``; the job ``idempotency.sweep`` deletes along ``ix_idempotency_records_expires_at``.
"""

import hashlib
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import DateTime, Index, LargeBinary, String, delete, func, select
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.orm import Mapped, mapped_column

from app.core.clock import Clock
from app.core.db import Base, rows_changed
from app.core.uow import UnitOfWork


class IdempotencyRecord(Base):
    __tablename__ = "idempotency_records"
    __table_args__ = (Index("ix_idempotency_records_expires_at", "expires_at"),)

    account_id: Mapped[UUID] = mapped_column(primary_key=True)
    operation: Mapped[str] = mapped_column(String(60), primary_key=True)
    key: Mapped[str] = mapped_column(String(255), primary_key=True)
    fingerprint: Mapped[bytes] = mapped_column(LargeBinary)
    status: Mapped[int]
    headers: Mapped[dict[str, Any]] = mapped_column(JSONB)
    body: Mapped[bytes] = mapped_column(LargeBinary)
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class IdempotencyRecords:
    """Finds and stores records in the current unit of work."""

    def __init__(self, uow: UnitOfWork, clock: Clock) -> None:
        self._uow = uow
        self._clock = clock

    def try_lock(self, account_id: UUID, operation: str, key: str) -> bool:
        """Whether this transaction is the only one with that key now; never waits."""
        digest = hashlib.blake2b(f"{account_id}\n{operation}\n{key}".encode(), digest_size=8).digest()
        number = int.from_bytes(digest, "big", signed=True)
        return bool(self._uow.session.scalar(select(func.pg_try_advisory_xact_lock(number))))

    def find(self, account_id: UUID, operation: str, key: str) -> IdempotencyRecord | None:
        record = self._uow.session.get(IdempotencyRecord, (account_id, operation, key))
        return record if record and record.expires_at > self._clock.now() else None

    def store(self, record: IdempotencyRecord) -> None:
        """Insert, or replace one that expired."""
        values = {column.key: getattr(record, column.key) for column in IdempotencyRecord.__table__.columns}
        statement = insert(IdempotencyRecord).values(values)
        fresh = {
            name: statement.excluded[name]
            for name in ("fingerprint", "status", "headers", "body", "expires_at")
        }
        keys = ["account_id", "operation", "key"]
        self._uow.session.execute(statement.on_conflict_do_update(index_elements=keys, set_=fresh))

    def forget_account(self, account_id: UUID) -> None:
        """Delete an account's stored answers, inside the caller's transaction: it is erased."""
        self._uow.session.execute(delete(IdempotencyRecord).where(IdempotencyRecord.account_id == account_id))

    def sweep(self) -> int:
        """Delete expired records; the answer is how many."""
        ended = delete(IdempotencyRecord).where(IdempotencyRecord.expires_at <= self._clock.now())
        return rows_changed(self._uow.session, ended)
