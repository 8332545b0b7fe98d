"""What has arrived is looked into before it is a file: its type, and what it would become when it is unpacked (SEC-46)."""

from collections.abc import Sequence

from app.core.errors import AppError, Code
from app.core.media.archives import ARCHIVE, DOCUMENT, check_archive
from app.core.media.faults import ArchiveError
from app.core.media.kinds import endings, kind_of_extension
from app.core.media.names import extension
from app.core.media.types import judge
from app.core.storage.interface import ObjectStore
from app.core.storage.seekable import opened

DOCUMENTS = ("application/vnd.openxmlformats-", "application/vnd.oasis.", "application/epub+zip")


class Examination:
    """Args: allowed: media types that may be uploaded."""

    def __init__(self, store: ObjectStore, allowed: Sequence[str]) -> None:
        self._store = store
        self._allowed = tuple(allowed)

    def refuse_by_name(self, name: str) -> None:
        """Spare a client the upload of what would be refused anyway.

        Raises:
            AppError: ``file_type_not_allowed``.
        """
        kind = kind_of_extension(extension(name))
        if kind is not None and kind not in self._allowed:
            detail = f"Files of the type {kind} are not taken. Taken are: {endings(self._allowed)}."
            raise AppError(Code.file_type_not_allowed, detail)

    def examine(self, key: str, size: int, name: str, declared: str | None) -> str:
        """The media type of a stored object.

        Raises:
            AppError: ``file_type_not_allowed``.
        """
        with opened(self._store, key, size) as stream:
            media_type = judge(name, declared, stream, size, self._allowed)
            if media_type == "application/zip" or media_type.startswith(DOCUMENTS):
                try:
                    check_archive(stream, ARCHIVE if media_type == "application/zip" else DOCUMENT)
                except ArchiveError as error:
                    raise AppError(Code.file_type_not_allowed, error.detail) from None
            return media_type
