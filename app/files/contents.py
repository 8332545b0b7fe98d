"""The content of a file on its way out: who may have it, and in which form."""

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO
from uuid import UUID

from app.core.access import AccountStatus, Actor
from app.core.errors import AppError, Code, not_found
from app.core.media.names import ascii_name
from app.core.storage.interface import (
    DamagedObjectError,
    ObjectMissingError,
    ObjectStore,
    storage_unavailable,
)
from app.core.telemetry import log
from app.core.uow import UnitOfWork
from app.files import policy
from app.files.addresses import WHOLE, FileAddresses
from app.files.models import File, FileState
from app.files.repository import FileRepository
from app.files.service import FileService
from app.users.service import UserService

logger = log(__name__)
NOBODYS_SESSION = UUID(int=0)
SHOWN_IN_PLACE = ("image/png", "image/jpeg", "image/gif", "image/webp", "image/avif", "audio/", "video/")
"""What a browser may show where it stands: it can neither run nor be taken for a page. All else is only ever downloaded."""
LIVES = 60
"""Seconds that a signed URL of the storage itself is good: a client follows it at once."""


@dataclass(frozen=True)
class Content:
    """Some bytes with a name.

    Attributes:
        tag: SHA-256 in hexadecimal digits; it is the ETag.
        plain: the name in ASCII.
        in_place: whether a browser may show it.
    """

    store: ObjectStore
    key: str
    size: int
    tag: str
    name: str
    plain: str
    media_type: str
    in_place: bool

    def look(self) -> None:
        """Make sure that it is there, without reading it.

        Raises:
            AppError: as ``open_plain``.
        """
        with self._there():
            found = self.store.facts(self.key)
            if found is None:
                raise ObjectMissingError(self.key)
            if found.size != self.size:
                raise DamagedObjectError("of another length")

    def read(self, start: int, length: int) -> Iterator[bytes]:
        """A part of it, in pieces.

        Raises:
            AppError: ``storage_unavailable`` where it is not there any more, or damaged.
            DamagedObjectError: on the way, where it ends before its end: the answer must not look whole.
        """
        with self._there():
            pieces = self.store.read(self.key, start, length)
        return self._all_of(pieces, length)

    def open_plain(self) -> BinaryIO | None:
        """The file that it is on this machine, for a server that can send one by itself; ``None`` where it is none.

        Raises:
            AppError: as ``read``, also for one that is longer or shorter than its row says.
        """
        with self._there():
            file = self.store.open_plain(self.key)
            if file is not None and os.fstat(file.fileno()).st_size != self.size:
                file.close()
                raise DamagedObjectError("of another length")
            return file

    @property
    def served_path(self) -> str | None:
        """Where a web server in front finds it; raises as ``open_plain`` does."""
        path = self.store.served_path(self.key)
        if path is not None:
            self.look()  # a server in front would send whatever is there
        return path

    def sign(self, disposition: str) -> str | None:
        """Where the storage hands it out itself, for a minute; ``None`` where it does not."""
        return self.store.sign_read(
            self.key, seconds=LIVES, content_type=self.media_type, disposition=disposition
        )

    @contextlib.contextmanager
    def _there(self) -> Iterator[None]:
        """What somebody removed or changed behind our back may come back from a backup: operators are told, clients wait."""
        try:
            yield
        except (ObjectMissingError, DamagedObjectError) as error:
            logger.exception("object_lost", key=self.key)
            raise storage_unavailable("does not have this file now") from error

    def _all_of(self, pieces: Iterator[bytes], length: int) -> Iterator[bytes]:
        for piece in pieces:
            length -= len(piece)
            yield piece
        if length > 0:
            raise DamagedObjectError("cut short")


class Contents:
    """Finds what may be handed out. The rows say who may and what it is, the storage has the bytes."""

    def __init__(
        self,
        uow: UnitOfWork,
        files: FileService,
        rows: FileRepository,
        users: UserService,
        store: ObjectStore,
        addresses: FileAddresses,
        *,
        scanned: bool,
    ) -> None:
        self._uow = uow
        self._files = files
        self._rows = rows
        self._users = users
        self._store = store
        self._addresses = addresses
        self._scanned = scanned

    def whole(self, actor: Actor, project_id: UUID, file_id: UUID) -> Content:
        """The file itself.

        Raises:
            AppError: ``not_found``, also in the trash; ``forbidden`` in quarantine; ``write_conflict`` before it is scanned.
        """
        return self._whole(self._open(self._files.find(actor, project_id, file_id)))

    def preview(self, actor: Actor, project_id: UUID, file_id: UUID, edge: int) -> Content:
        """The smallest picture of it that is at least so large.

        Raises:
            AppError: as ``whole``; ``not_found`` where there is none.
        """
        return self._preview(self._open(self._files.find(actor, project_id, file_id)), edge)

    def addressed(self, token: str) -> Content:
        """What a signed address leads to, if the person it was made for may still have it (SEC-42).

        Raises:
            AppError: as ``whole``; ``token_expired_or_used``.
        """
        address = self._addresses.read(token)
        file = self._files.find_for(self._still_active(address.user_id), address.file_id)
        return (
            self._whole(self._open(file))
            if address.edge == WHOLE
            else self._preview(self._open(file), address.edge)
        )

    def addressee(self, token: str) -> str | None:
        """For whom a signed address was made; nobody where we did not make it, or it has expired."""
        try:
            return str(self._addresses.read(token).user_id)
        except AppError:
            return None

    def _still_active(self, user_id: UUID) -> Actor:
        user = self._users.find(user_id)
        if user is None or user.status != AccountStatus.active:
            raise not_found("file")
        return Actor(user_id, NOBODYS_SESSION)

    def _open(self, file: File) -> File:
        if file.deleted_at is not None:
            raise AppError(
                Code.not_found, "There is no such file, but for one in the trash. Restore it first."
            )
        if policy.is_open(file.state, file.failure_code, scanned=self._scanned):
            return file
        if file.state == FileState.processing:
            raise AppError(Code.write_conflict, "This file is being scanned. Ask again soon.", retry_after=2)
        raise AppError(Code.forbidden, "This file is in quarantine: nobody can download it.")

    def _whole(self, file: File) -> Content:
        return Content(
            self._store, file.object_key, file.size, file.sha256.hex(), file.name, ascii_name(file.name),
            file.content_type, file.content_type.startswith(SHOWN_IN_PLACE),
        )  # fmt: skip

    def _preview(self, file: File, edge: int) -> Content:
        with self._uow.reading():
            found = self._rows.preview(file.id, edge)
        if found is None:
            raise not_found("thumbnail")
        name = f"{file.name}.webp"
        return Content(
            self._store, found.object_key, found.size, found.sha256.hex(), name, ascii_name(name),
            "image/webp", in_place=True,
        )  # fmt: skip
