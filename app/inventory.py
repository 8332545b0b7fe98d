"""Which objects there should be: what the rows of all features name, in the order of keys, never all at once."""

import heapq
from collections.abc import Iterator
from typing import Any

from sqlalchemy import null, select
from sqlalchemy.orm import InstrumentedAttribute

from app.core.objects import DoomedObject
from app.core.storage.verification import Expected
from app.core.uow import UnitOfWork
from app.exports.models import Export
from app.files.models import File, FilePreview
from app.uploads.models import UploadSegment

BATCH = 1_000
KEPT: tuple[tuple[InstrumentedAttribute[Any], Any, Any], ...] = (
    (File.object_key, File.size, File.sha256),
    (FilePreview.object_key, FilePreview.size, FilePreview.sha256),
    (Export.object_key, Export.size, Export.sha256),
    (UploadSegment.object_key, UploadSegment.size, null()),
)
"""Key, size and SHA-256, where that is known. The columns sort byte by byte (COLLATE "C"), and so do their indexes."""


class Inventory:
    """Reads in batches: objects that come and go meanwhile are no matter, whoever compares looks again."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow

    def expected(self) -> Iterator[Expected]:
        """All of it, by key."""
        return heapq.merge(*(self._rows(*columns) for columns in KEPT), key=lambda row: row[0])

    def is_doomed(self, key: str) -> bool:
        """Whether an object that no row names will be swept by itself."""
        with self._uow.reading():
            session = self._uow.session
            return session.get(DoomedObject, key) is not None

    def _rows(self, key: InstrumentedAttribute[Any], size: Any, sha256: Any) -> Iterator[Expected]:
        after = ""
        while True:
            batch = select(key, size, sha256).where(key > after).order_by(key).limit(BATCH)
            with self._uow.reading():
                session = self._uow.session
                rows = [(row[0], row[1], row[2]) for row in session.execute(batch)]
            yield from rows
            if len(rows) < BATCH:
                return
            after = rows[-1][0]
