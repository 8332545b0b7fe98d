"""SQL of exports and their parts."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, or_, select, update

from app.core.db import rows_changed
from app.core.repository import Repository
from app.exports.models import Export, ExportPart, ExportState

UNFINISHED = (ExportState.queued.value, ExportState.running.value)


class ExportRepository(Repository[Export]):
    model = Export
    noun = "export"

    def in_the_making(self, user_id: UUID) -> Export | None:
        """The one that an account waits for; there is one at most."""
        statement = select(Export).where(Export.user_id == user_id, Export.state.in_(UNFINISHED)).limit(1)
        return self.session.execute(statement).scalar_one_or_none()

    def claim(self, export_id: UUID, now: datetime, stale: datetime) -> Export | None:
        """Begin a run, unless another one is under way that began after ``stale``; of many one gets it."""
        waiting = or_(
            Export.state == ExportState.queued.value,
            (Export.state == ExportState.running.value) & (Export.started_at < stale),
        )
        claimed = (
            update(Export)
            .where(Export.id == export_id, waiting)
            .values(state=ExportState.running.value, attempts=Export.attempts + 1, started_at=now)
            .returning(Export)
        )
        return self.session.execute(claimed).scalar_one_or_none()

    def current(self, export_id: UUID, run: int) -> Export | None:
        """The export, locked, while that run is the one under way."""
        statement = (
            select(Export)
            .where(Export.id == export_id, Export.attempts == run, Export.state == ExportState.running.value)
            .with_for_update(key_share=True)
        )
        return self.session.execute(statement).scalar_one_or_none()

    def prolong(self, export_id: UUID, run: int, now: datetime) -> bool:
        """Note a sign of life of a run; whether it is still the one under way."""
        alive = update(Export).where(
            Export.id == export_id, Export.attempts == run, Export.state == ExportState.running.value
        )
        return bool(rows_changed(self.session, alive.values(started_at=now)))

    def forget_parts(self, export_id: UUID) -> None:
        self.session.execute(delete(ExportPart).where(ExportPart.export_id == export_id))

    def part(self, export_id: UUID, run: int, number: int) -> bytes | None:
        statement = select(ExportPart.data).where(
            ExportPart.export_id == export_id, ExportPart.run == run, ExportPart.number == number
        )
        return self.session.execute(statement).scalar_one_or_none()

    def forget_others(self, user_id: UUID, but: UUID) -> None:
        """Delete what an account was given before: the newest copy is the one that counts."""
        self.session.execute(
            delete(Export).where(Export.user_id == user_id, Export.id != but, Export.state.not_in(UNFINISHED))
        )

    def unfinished_since(self, moment: datetime) -> list[Export]:
        """Exports that no worker goes on with: their run began, or they were asked for, before that moment."""
        statement = select(Export).where(
            or_(
                (Export.state == ExportState.running.value) & (Export.started_at < moment),
                (Export.state == ExportState.queued.value) & (Export.created_at < moment),
            )
        )
        return list(
            self.session.execute(statement.with_for_update(skip_locked=True, key_share=True)).scalars()
        )

    def sweep(self, now: datetime) -> int:
        return rows_changed(self.session, delete(Export).where(Export.expires_at <= now))
