"""Where files are kept, and who scans them."""

from collections import Counter
from collections.abc import Iterator

import psycopg

from app.cli.checks.finding import Finding, fault, ok
from app.cli.checks.look import Look, connect
from app.config import Settings
from app.core.errors import AppError
from app.core.keys import KeyRing
from app.core.media.scanner import Scanner, ScannerUnavailableError
from app.core.storage.build import folder_of
from app.core.storage.interface import DamagedObjectError, ObjectMissingError, ObjectStore
from app.core.storage.local import LocalStore

SAMPLE = "(SELECT object_key FROM files ORDER BY id DESC LIMIT 20) UNION (SELECT object_key FROM files ORDER BY id LIMIT 20)"
"""The newest tell a ring that is not the service's, the oldest a key that went before all was sealed anew."""


def look(store: ObjectStore, settings: Settings) -> Iterator[Finding]:
    """Findings about the file storage; a folder is tried with a file that is removed again, and some files of people's by
    their headers.
    """
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
    if isinstance(store, LocalStore):
        yield from _readable(store, settings)


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


def _readable(store: LocalStore, settings: Settings) -> Iterator[Finding]:
    """Whether some files are there, and under keys that we have; only what stands before their content is read."""
    try:
        with connect(settings) as link:
            keys = [row[0] for row in Look(link, settings).rows(SAMPLE)]
    except psycopg.Error:
        return  # "database" or "migrations" tells it
    ring = settings.storage_keys.get_secret_value()
    held = {None, *(KeyRing.parse(ring).ids if ring else ())}
    lost, missing = Counter[str | None](), 0
    for key in keys:
        try:
            key_id = store.key_id(key)
        except ObjectMissingError:
            missing += 1
        except (AppError, DamagedObjectError):
            continue  # `flask storage verify` reads them all
        else:
            lost.update({key_id} - held)
    for key_id, number in lost.items():
        yield fault(
            "storage",
            f"{number} of {len(keys)} files that were looked at are encrypted under the key {key_id}, which STORAGE_KEYS does not have",
            f"put {key_id} back into STORAGE_KEYS, or nobody can read what is sealed under it; `flask storage verify` names all",
        )
    if keys and missing == len(keys):
        yield fault(
            "storage",
            f"of files that were looked at ({len(keys)}) none is there",
            "correct STORAGE_DIR, or bring the folder back from the backup; `flask storage verify` names what is missing",
        )


def _mend(name: str) -> str:
    if name == "local":
        return "give the service's user that folder and room in it, or set STORAGE_DIR to another"
    return "make the bucket, or correct S3_BUCKET, S3_ENDPOINT_URL, S3_REGION and the keys"


def _sealed(settings: Settings) -> str:
    if settings.storage == "local" and settings.storage_keys.get_secret_value():
        return ", encrypted under STORAGE_KEYS"
    return ""
