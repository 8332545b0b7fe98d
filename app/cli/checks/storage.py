"""Where files are kept, and who scans them."""

from collections.abc import Iterator

from app.cli.checks.finding import Finding, fault, ok
from app.config import Settings
from app.core.errors import AppError
from app.core.media.scanner import Scanner, ScannerUnavailableError
from app.core.storage.build import folder_of
from app.core.storage.interface import ObjectStore


def look(store: ObjectStore, settings: Settings) -> Iterator[Finding]:
    """Findings about the file storage; a folder is tried with a file that is removed again."""
    where = (
        f"the folder {folder_of(settings)}" if store.name == "local" else f"the bucket {settings.s3_bucket}"
    )
    try:
        store.check()
    except AppError as error:
        yield fault(
            "storage", f"{where} cannot be used: {error.__cause__ or error.detail}", _mend(store.name)
        )
        return
    yield ok("storage", f"files are in {where}{_sealed(settings)}")


def scanner(settings: Settings) -> Iterator[Finding]:
    """Findings about the virus scanner; none where there is none to be asked."""
    if not settings.clamd_url:
        return
    try:
        Scanner(settings.clamd_url, connect_seconds=2, answer_seconds=2).ping()
    except ScannerUnavailableError as error:
        mend = "start clamd, or correct CLAMD_URL: until then new files wait, and fail after some tries"
        yield fault("scanner", f"clamd does not answer: {error}", mend)
        return
    yield ok("scanner", "clamd answers; its StreamMaxLength must not be below UPLOAD_MAX_BYTES")


def _mend(name: str) -> str:
    if name == "local":
        return "give the service's user that folder and room in it, or set STORAGE_DIR to another"
    return "make the bucket, or correct S3_BUCKET, S3_ENDPOINT_URL, S3_REGION and the keys"


def _sealed(settings: Settings) -> str:
    if settings.storage == "local" and settings.storage_keys.get_secret_value():
        return ", encrypted under STORAGE_KEYS"
    return ""
