"""What can be wrong inside a file, as codes that a stored file may carry as the reason of its failure (SEC-46).

Only the standard library is imported here: the child that decodes pictures loads this file too.
"""

from enum import StrEnum


class FileFault(StrEnum):
    """The closed list of what keeps a file from being ready."""

    picture_too_large = "picture_too_large"
    picture_damaged = "picture_damaged"
    picture_unreadable = "picture_unreadable"
    no_decoder = "no_decoder"
    processing_failed = "processing_failed"
    archive_damaged = "archive_damaged"
    archive_too_many_entries = "archive_too_many_entries"
    archive_too_large = "archive_too_large"
    archive_unsafe_name = "archive_unsafe_name"
    archive_encrypted = "archive_encrypted"
    archive_nested_too_deep = "archive_nested_too_deep"
    archive_method_unknown = "archive_method_unknown"


class MediaError(Exception):
    """A file cannot be taken, or not be shown, for what is in it.

    Args:
        code: one of the closed list.
        detail: an English sentence, safe to show to anybody.
    """

    def __init__(self, code: FileFault, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


class PictureError(MediaError):
    """No preview can be made of a picture."""


class ArchiveError(MediaError):
    """A zip, or a document that is one, breaks a cap or its own format."""
