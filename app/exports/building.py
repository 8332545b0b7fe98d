"""The bytes of a copy, made while the storage takes them in."""

import time
from collections.abc import Generator, Iterator
from uuid import UUID

import orjson

from app.core.clock import Clock
from app.core.storage.interface import DamagedObjectError, ObjectMissingError, ObjectStore
from app.exports import views
from app.exports.archive import Archive
from app.exports.paths import Paths
from app.exports.sections import BATCH, Sections, in_batches
from app.exports.service import SECTIONS, ExportService, Run
from app.files.models import File
from app.files.service import FileService
from app.users.models import User
from app.work.service import WorkService

FILES_BETWEEN_STEPS, SECONDS_BETWEEN_STEPS = 20, 1.0
"""How often the owner is told how far it is, whichever comes first."""
SECONDS_BETWEEN_SIGNS = 60.0


class LostRunError(Exception):
    """Another run has taken the place of this one, or its owner is gone."""


class Steps:
    """How far a copy is: told after each section, and after some files. Args: total: of sections and files."""

    def __init__(self, work: WorkService, run: Run, total: int) -> None:
        self._work = work
        self._run = run
        self._total = total
        self._done = 0
        self._tell()

    def next(self) -> None:
        """One more is in."""
        self._done += 1
        few = self._done >= SECTIONS and self._done - self._told < FILES_BETWEEN_STEPS
        if not few or time.monotonic() - self._told_at >= SECONDS_BETWEEN_STEPS:
            self._tell()

    def _tell(self) -> None:
        # Files that came meanwhile are in the copy, and were not counted.
        self._work.progress(self._run.export.id, min(self._done, self._total), self._total)
        self._told, self._told_at = self._done, time.monotonic()


class Building:
    """Reads rows in batches and files piece by piece; nothing is read before somebody takes what came of the last."""

    def __init__(
        self,
        exports: ExportService,
        sections: Sections,
        files: FileService,
        store: ObjectStore,
        work: WorkService,
        clock: Clock,
        product_name: str,
    ) -> None:
        self._exports = exports
        self._sections = sections
        self._files = files
        self._store = store
        self._work = work
        self._clock = clock
        self._product_name = product_name

    def pieces(self, run: Run, user: User) -> Iterator[bytes]:
        """The archive; now and then its run gives a sign of life.

        Raises:
            LostRunError: the run does not count any more.
            ObjectMissingError: a file that there is has no content; it is never left out in silence.
            DamagedObjectError: the content of a file is not what was uploaded.
        """
        signed_at = time.monotonic()
        for piece in self._made(run, user):
            yield piece
            if time.monotonic() - signed_at >= SECONDS_BETWEEN_SIGNS:
                signed_at = time.monotonic()
                if not self._exports.prolong(run):
                    raise LostRunError(str(run.export.id))

    def _made(self, run: Run, user: User) -> Iterator[bytes]:
        archive = Archive(self._clock.now(), self._product_name)
        steps = Steps(self._work, run, SECTIONS + self._files.count_of_person(user.id))
        for title, name, rows in self._sections.of(user):
            yield from archive.add(title, name, rows)
            steps.next()
        # Their content comes first: what is listed is then what is in the archive, whatever goes meanwhile.
        paths, listed = Paths(), []
        for file, project_name in self._files_of(user):
            row = yield from self._add(archive, file, project_name, paths, user.id)
            if row is not None:
                # As text: a hundred thousand dictionaries take three times the room.
                listed.append(orjson.dumps(row))
            steps.next()
        yield from archive.add("Files", "files.json", map(orjson.loads, listed))
        yield from archive.close()

    def _files_of(self, user: User) -> Iterator[tuple[File, str]]:
        return in_batches(lambda after: self._files.of_person(user.id, after, BATCH), lambda pair: pair[0].id)

    def _add(
        self, archive: Archive, file: File, project_name: str, paths: Paths, person: UUID
    ) -> Generator[bytes, None, views.Row | None]:
        """Its content, where that may leave us; the answer is its row, none where it was deleted meanwhile."""
        if not self._files.is_open(file):
            return views.file(file, project_name, None, person)
        try:
            content = self._store.read(file.object_key)
        except ObjectMissingError:
            if self._files.is_there(file.id):
                raise
            return None
        path = paths.of(file.project_id, project_name, file.name)
        entry = yield from archive.add_file(path, content)
        if entry.sha256 != file.sha256:
            raise DamagedObjectError(file.object_key)
        return views.file(file, project_name, path, person)
