"""An upload as its owner sees it."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app.uploads.models import Upload, UploadKind

LASTING = (UploadKind.resumable, UploadKind.direct)
"""Those of a form end with their request."""
TUS = "/api/v1/projects/{project_id}/tus/{upload_id}"
"""Where a resumable upload goes on."""


@dataclass(frozen=True)
class UploadUnderWay:
    """What it takes to go on with one, or to end it. Attributes: tus_url: of a resumable one."""

    id: UUID
    project_id: UUID
    kind: str
    name: str
    size: int
    received: int
    tus_url: str | None
    created_at: datetime
    expires_at: datetime

    @classmethod
    def of(cls, upload: Upload) -> "UploadUnderWay":
        resumable = upload.kind == UploadKind.resumable
        return cls(
            upload.id, upload.project_id, upload.kind, upload.name, upload.size, upload.received,
            TUS.format(project_id=upload.project_id, upload_id=upload.id) if resumable else None,
            upload.created_at, upload.expires_at,
        )  # fmt: skip
