"""A file as one member of its project sees it."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app.files.addresses import FileAddresses
from app.files.models import File

SHOWN_EDGE = 256


@dataclass
class FileView:
    """The row, and addresses of its content for whoever asked; none where nothing may be had."""

    id: UUID
    project_id: UUID
    name: str
    content_type: str
    size: int
    sha256: str
    state: str
    failure_code: str | None
    content_url: str | None
    thumbnail_url: str | None
    uploaded_by: UUID | None
    version: int
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None

    @classmethod
    def of(cls, file: File, viewer_id: UUID, addresses: FileAddresses, *, is_open: bool) -> "FileView":
        """Args: is_open: whether its content may leave us."""
        shown = is_open and file.deleted_at is None
        return cls(
            id=file.id,
            project_id=file.project_id,
            name=file.name,
            content_type=file.content_type,
            size=file.size,
            sha256=file.sha256.hex(),
            state=file.state,
            failure_code=file.failure_code,
            content_url=addresses.url(file.id, viewer_id) if shown else None,
            thumbnail_url=addresses.url(file.id, viewer_id, SHOWN_EDGE) if shown and file.previews else None,
            uploaded_by=file.uploaded_by,
            version=file.version,
            created_at=file.created_at,
            updated_at=file.updated_at,
            deleted_at=file.deleted_at,
        )
