"""How many uploads an account may have under way.

A hundred. At the limit a new one takes the place of the resumable one that has stood still the longest, if that is more than
an hour: clients forget uploads, and nobody whose client does not list them should have to wait a day. Where all have moved
since, the new one is refused.
"""

from datetime import datetime, timedelta
from uuid import UUID

from app.core.errors import AppError, Code
from app.uploads.repository import UploadRepository

MOST_UNDER_WAY = 100
STANDS_STILL = timedelta(hours=1)


def make_place(uploads: UploadRepository, user_id: UUID, now: datetime) -> None:
    """Have what stands still give way to one more. It ends now, and the next sweep has its room and its content.

    Raises:
        AppError: ``quota_exceeded``.
    """
    too_many = uploads.under_way(user_id, now) + 1 - MOST_UNDER_WAY
    if too_many <= 0:
        return
    still = uploads.standing_still(user_id, now - STANDS_STILL, now, too_many)
    if len(still) < too_many:
        raise AppError(
            Code.quota_exceeded,
            f"You have {MOST_UNDER_WAY} uploads under way. Complete some, or end them: GET /api/v1/me/uploads lists them.",
            extra={"left": 0},
        )
    for upload in still:
        upload.expires_at = now
