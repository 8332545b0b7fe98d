"""Settings of files: where they are kept, what may be uploaded, how much of it."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BeforeValidator, Field, SecretStr
from pydantic_settings import BaseSettings, NoDecode

from app.config_sources import is_url, split_commas

if TYPE_CHECKING:
    from app.config import Settings

GIB = 2**30
TYPES = (
    "image/png", "image/jpeg", "image/gif", "image/webp", "image/heic", "image/tiff", "image/bmp", "image/avif",
    "application/pdf", "application/zip", "application/json", "text/plain", "text/csv", "text/markdown",
    "application/msword", "application/vnd.ms-excel", "application/vnd.ms-powerpoint",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "application/vnd.oasis.opendocument.text", "application/vnd.oasis.opendocument.spreadsheet",
    "application/vnd.oasis.opendocument.presentation",
    "audio/mpeg", "audio/wav", "audio/ogg", "audio/mp4", "video/mp4", "video/quicktime", "video/webm",
)  # fmt: skip
"""What people keep in projects; programs, pages and drawings that can run are not among it."""
CommaList = Annotated[tuple[str, ...], NoDecode, BeforeValidator(split_commas)]


class FileSettings(BaseSettings):
    """The part of ``Settings`` that is about files."""

    # Where objects are
    storage: Literal["local", "s3"] = "local"
    storage_dir: Path | None = None
    storage_keys: SecretStr = SecretStr("")
    s3_bucket: str = ""
    s3_region: str = "us-east-1"
    s3_endpoint_url: str = ""
    s3_public_endpoint_url: str = ""
    s3_access_key_id: SecretStr = SecretStr("")
    s3_secret_access_key: SecretStr = SecretStr("")
    s3_server_side_encryption: Literal["", "AES256", "aws:kms"] = "AES256"

    # What may be uploaded
    upload_max_bytes: int = Field(25 * 2**20, ge=1_024, le=5 * GIB)
    upload_types: CommaList = TYPES
    upload_hours: int = Field(24, ge=1, le=168)
    project_quota_bytes: int = Field(10 * GIB, ge=0, le=2**50)
    account_quota_bytes: int = Field(20 * GIB, ge=0, le=2**50)
    clamd_url: str = ""

    # How they are handed out and how long transfers may take
    file_url_seconds: int = Field(300, ge=30, le=300)
    accel_redirect: str = ""
    transfer_threads: int = Field(32, ge=1, le=512)
    transfer_idle_seconds: int = Field(60, ge=5, le=600)


def file_faults(settings: "Settings") -> Iterator[str]:
    """What cannot work, in any environment."""
    if settings.storage == "s3" and not settings.s3_bucket:
        yield "S3_BUCKET: must name the bucket when STORAGE is s3"
    if bool(settings.s3_access_key_id.get_secret_value()) != bool(
        settings.s3_secret_access_key.get_secret_value()
    ):
        yield "S3_SECRET_ACCESS_KEY: S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY are set both or neither"
    for name in ("s3_endpoint_url", "s3_public_endpoint_url"):
        value = getattr(settings, name)
        if value and not (value.startswith(("http://", "https://")) and is_url(value)):
            yield f"{name.upper()}: must be a http:// or https:// address"
    if settings.clamd_url and not (
        settings.clamd_url.startswith(("tcp://", "unix://")) and is_url(settings.clamd_url)
    ):
        yield "CLAMD_URL: must be tcp://host:port or unix:///path of clamd"
    if settings.accel_redirect and not (
        settings.accel_redirect.startswith("/") and settings.accel_redirect.endswith("/")
    ):
        yield "ACCEL_REDIRECT: must be the path of nginx's internal location, with a slash at both ends"
    if settings.accel_redirect and (settings.storage != "local" or settings.storage_keys.get_secret_value()):
        yield "ACCEL_REDIRECT: nginx can only serve objects that lie in STORAGE_DIR as they are"


def production_file_faults(settings: "Settings") -> Iterator[str]:
    """What production refuses on top."""
    if settings.storage == "local" and settings.storage_dir is None:
        yield "STORAGE_DIR: must be set in production: a folder that is kept and backed up"
