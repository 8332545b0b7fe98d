"""How many uploads an account may have under way, and the room that one takes.

A hundred may be. At the limit a new one takes the place of the resumable one that has stood still the longest, if that is more than
an hour: clients forget uploads, and nobody whose client does not list them should have to wait a day. Where all have moved
since, the new one is refused.
"""

from datetime import datetime, timedelta
from uuid import UUID

from app.core.errors import AppError, Code, QuotaScope
from app.files.quotas import Room, no_room
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
            extra={"left": 0, "scope": QuotaScope.uploads.value},
        )
    for upload in still:
        upload.expires_at = now


def room_for(size: int | None, certain: int, largest: int, room: Room | None) -> int:
    """Bytes to keep for a file: what it takes at most, as far as there is room.

    Args:
        size: of the file; ``None`` where nobody knows.
        certain: bytes that are sure to come.
        largest: that a file may have.
        room: what is left, ``None`` where there is no limit.

    Raises:
        AppError: ``quota_exceeded`` where there is none for what is certain to come.
    """
    wanted = min(largest if size is None else size, largest)
    if room is None:
        return wanted
    if not room.left or certain > room.left:
        raise no_room(room)
    return min(wanted, room.left)
