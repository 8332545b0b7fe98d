"""What people do with files that are there."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from uuid import UUID

from app.core.access import Actor, allow
from app.core.clock import Clock
from app.core.errors import AppError, Code, QuotaScope, not_found
from app.core.events import EventKind, Events
from app.core.media.names import clean_name
from app.core.media.types import refuse_other_ending
from app.core.pagination import Cursors, Page, PageRequest
from app.core.uow import UnitOfWork
from app.core.versions import check_version
from app.files import policy
from app.files.addresses import FileAddresses
from app.files.filters import FileFilters
from app.files.models import File
from app.files.quotas import Quotas, Room, no_room
from app.files.repository import FileRepository
from app.files.views import FileView
from app.projects.models import Project
from app.projects.service import ProjectService, Versions

PROCESS = "files.process"
SWEEP_BATCH = 200


class FileService:
    """One method per use case; each is one transaction, and decides on the rows it loaded.

    Args:
        scanned: whether this installation scans files before it hands them out.
    """

    def __init__(
        self,
        uow: UnitOfWork,
        files: FileRepository,
        projects: ProjectService,
        addresses: FileAddresses,
        quotas: Quotas,
        cursors: Cursors,
        events: Events,
        clock: Clock,
        *,
        scanned: bool,
    ) -> None:
        self._uow = uow
        self._files = files
        self._projects = projects
        self._addresses = addresses
        self._quotas = quotas
        self._cursors = cursors
        self._events = events
        self._clock = clock
        self._scanned = scanned

    def list_of(
        self, actor: Actor, project_id: UUID, filters: FileFilters, request: PageRequest
    ) -> Page[FileView]:
        """One page of a project's files.

        Raises:
            AppError: ``not_found``, ``invalid_cursor``.
        """
        with self._uow.reading():
            self._projects.find(actor, project_id)
            return self._uow.lately(
                lambda: self._files.page(
                    project_id,
                    actor.user_id,
                    filters,
                    self._cursors,
                    request,
                    lambda file: self.view(file, actor),
                ),
                project_id,
            )

    def get(self, actor: Actor, project_id: UUID, file_id: UUID) -> FileView:
        """One file, in the trash too.

        Raises:
            AppError: ``not_found``.
        """
        return self.view(self.find(actor, project_id, file_id), actor)

    def find(self, actor: Actor, project_id: UUID, file_id: UUID) -> File:
        """The row, if the caller may know of it, for those who hand out its content."""
        with self._uow.reading():
            self._projects.find(actor, project_id)
            return self._require(project_id, file_id)

    def find_for(self, actor: Actor, file_id: UUID) -> File:
        """As ``find``, where only the file is named."""
        with self._uow.reading():
            file = self._files.require(file_id)
            self._projects.find(actor, file.project_id)
            return file

    def rename(
        self, actor: Actor, project_id: UUID, file_id: UUID, name: str, expected: Versions = None
    ) -> FileView:
        """Give it another name, cleaned as the name of an upload is; of another type it does not become (SEC-46).

        Raises:
            AppError: ``not_found``, ``forbidden``, ``version_conflict``, ``project_archived``, ``project_deleted``,
                ``write_conflict`` for one in the trash, ``validation_failed`` where nothing of the name is left,
                ``file_type_not_allowed`` for an ending of another type.
        """
        name = clean_name(name)
        with self._uow:
            file = self._changeable(actor, project_id, file_id, expected)
            if file.deleted_at is not None:
                raise AppError(Code.write_conflict, "This file is in the trash. Restore it to change it.")
            refuse_other_ending(name, file.name)
            told = file.rename(name, self._clock.now())
            if told:
                self._tell(EventKind.file_renamed, file, actor.user_id, told)
            self._files.flush()
            return self.view(file, actor)

    def trash(self, actor: Actor, project_id: UUID, file_id: UUID, expected: Versions = None) -> None:
        """Put it into the trash; doing it twice is doing it once."""
        with self._uow:
            file = self._changeable(actor, project_id, file_id, expected)
            if file.trash(self._clock.now()):
                self._tell(
                    EventKind.file_deleted,
                    file,
                    actor.user_id,
                    {"name": {"before": file.name, "after": None}},
                )

    def restore(self, actor: Actor, project_id: UUID, file_id: UUID) -> FileView:
        """Take it out of the trash."""
        with self._uow:
            file = self._changeable(actor, project_id, file_id, None)
            if file.restore(self._clock.now()):
                self._tell(
                    EventKind.file_restored,
                    file,
                    actor.user_id,
                    {"name": {"before": None, "after": file.name}},
                )
            self._files.flush()
            return self.view(file, actor)

    def purge(self, actor: Actor, project_id: UUID, file_id: UUID) -> None:
        """Remove a file in the trash for good, which makes room at once.

        Whoever may restore it has no say: admins and the owner decide. The row goes, and in the same transaction the triggers
        of migration 0013 hand its objects to the sweep and count what the project holds.

        Raises:
            AppError: ``not_found``, ``forbidden``, ``project_archived``, ``project_deleted``, ``write_conflict`` for one that
                is not in the trash.
        """
        with self._uow:
            self._hold(actor, project_id, policy.can_purge)
            file = self._require(project_id, file_id, lock=True)
            if file.deleted_at is None:
                raise AppError(Code.write_conflict, "Only a file in the trash can be removed for good.")
            self._end([file], actor.user_id)

    def purge_trash(self, keep_days: int) -> int:
        """Remove what lay in the trash long enough, in batches; the answer is how many files."""
        removed = 0
        while True:
            with self._uow:
                old = self._files.trashed_before(self._clock.now() - timedelta(days=keep_days), SWEEP_BATCH)
                self._end(old, None)
            removed += len(old)
            if len(old) < SWEEP_BATCH:
                return removed

    def find_project(self, actor: Actor, project_id: UUID) -> Project:
        """The project, if the caller may know of it.

        Raises:
            AppError: ``not_found``.
        """
        return self._projects.find(actor, project_id)[0]

    def hold_for_upload(self, actor: Actor, project_id: UUID) -> Project:
        """The project, held, if the caller may put a file into it now.

        Raises:
            AppError: ``not_found``, ``forbidden``, ``project_archived``, ``project_deleted``.
        """
        return self._hold(actor, project_id, policy.can_change)

    def room_in(self, project: Project) -> Room | None:
        """What may still be reserved in a project that the caller holds; ``None`` where there is no limit."""
        with self._uow:
            return self._quotas.left(self._files, project)

    def no_room_in(self, project_id: UUID, left: int) -> AppError:
        """The refusal of what outgrew the room kept for it; whose limit that was is looked up, since nobody noted it.

        Args:
            left: bytes that were kept.
        """
        with self._uow:
            project = self._projects.named(project_id)
            room = self._quotas.left(self._files, project) if project else None
        return no_room(Room(left, room.scope if room else QuotaScope.project))

    def add(self, file: File) -> None:
        """Make an uploaded file visible, inside the caller's transaction, which holds the project."""
        with self._uow:
            self._files.add(file)
            self._files.flush()
            told = {"name": {"before": None, "after": file.name}}
            self._tell(EventKind.file_uploaded, file, file.uploaded_by, told)

    def of_person(self, user_id: UUID, after: UUID | None, most: int) -> list[tuple[File, str]]:
        """What is somebody's to take along, with the project's name, by the file's id: so many after that one, for an export."""
        with self._uow.reading():
            return self._files.of_person(user_id, after, most)

    def count_of_person(self, user_id: UUID) -> int:
        """How many those are."""
        with self._uow.reading():
            return self._files.count_of_person(user_id)

    def is_there(self, file_id: UUID) -> bool:
        """Whether there is still such a file, in the trash too."""
        with self._uow.reading():
            return self._files.find(file_id) is not None

    def is_open(self, file: File) -> bool:
        """Whether its content may leave us."""
        return policy.is_open(file.state, file.failure_code, scanned=self._scanned)

    def view(self, file: File, actor: Actor) -> FileView:
        """The file as the caller sees it."""
        return FileView.of(file, actor.user_id, self._addresses, is_open=self.is_open(file))

    def _hold(self, actor: Actor, project_id: UUID, permitted: Callable[[str], bool]) -> Project:
        project, role = self._projects.hold(actor, project_id)
        allow(permitted=permitted(role))
        project.ensure_editable()
        return project

    def _changeable(self, actor: Actor, project_id: UUID, file_id: UUID, expected: Versions) -> File:
        self.hold_for_upload(actor, project_id)
        file = self._require(project_id, file_id, lock=True)
        check_version(file, expected, lambda: self.view(file, actor))
        return file

    def _require(self, project_id: UUID, file_id: UUID, *, lock: bool = False) -> File:
        file = self._files.of(project_id, file_id, lock=lock)
        if file is None:
            raise not_found("file")
        return file

    def _end(self, files: Sequence[File], actor: UUID | None) -> None:
        """Tell that files go for good, and let them go."""
        for file in files:
            self._tell(EventKind.file_purged, file, actor, {"name": {"before": file.name, "after": None}})
        self._files.flush()
        self._files.forget([file.id for file in files])

    def _tell(
        self, kind: EventKind, file: File, actor: UUID | None, told: dict[str, dict[str, str | None]]
    ) -> None:
        self._events.record(kind, subject=file.id, project=file.project_id, actor=actor, changes=told)
