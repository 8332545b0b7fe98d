"""Who may do what with files. The role is the one in the project; who has none never gets here."""

from app.files.models import FailureCode, FileState
from app.projects.policy import ADMINS, can_edit

UNSCANNED = {FailureCode.scan_failed, FailureCode.too_large_to_scan}


def can_change(role: str) -> bool:
    """Upload, rename, trash and restore: whoever may edit the project."""
    return can_edit(role)


def can_purge(role: str) -> bool:
    """Remove from the trash for good: admins and the owner, who answer for the room. An editor's slip can be restored."""
    return role in ADMINS


def is_open(state: str, failure_code: str | None, *, scanned: bool) -> bool:
    """Whether its content may leave us: never before a scanner that is there has seen it, never when it is infected.

    Args:
        scanned: whether this installation scans files.
    """
    if state == FileState.processing:
        return not scanned
    return state != FileState.quarantined and failure_code not in UNSCANNED


def needs_processing(media_type: str, *, scanned: bool) -> bool:
    """Whether the worker has something to do with a new file: scan it, or make smaller pictures of it."""
    return scanned or media_type.startswith("image/")
