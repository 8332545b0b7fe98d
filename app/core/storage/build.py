"""The back end that the settings name."""

from pathlib import Path

from app.config import Settings
from app.core.keys import KeyRing
from app.core.storage.encryption import Sealing
from app.core.storage.interface import ObjectStore
from app.core.storage.local import LocalStore
from app.core.storage.s3 import S3Store
from app.core.storage.s3_client import S3Clients, S3Place

USUAL_FOLDER = Path("var/storage")


def build_store(settings: Settings) -> ObjectStore:
    """What ``STORAGE`` says. Nothing is opened or asked yet, so it may be made before a fork."""
    return s3_store(settings) if settings.storage == "s3" else local_store(settings)


def folder_of(settings: Settings) -> Path:
    return (settings.storage_dir or USUAL_FOLDER).absolute()


def local_store(settings: Settings) -> LocalStore:
    ring = settings.storage_keys.get_secret_value()
    return LocalStore(folder_of(settings), Sealing(KeyRing.parse(ring)) if ring else None)


def s3_store(settings: Settings) -> S3Store:
    place = S3Place(
        bucket=settings.s3_bucket,
        region=settings.s3_region,
        endpoint=settings.s3_endpoint_url,
        public_endpoint=settings.s3_public_endpoint_url,
        key_id=settings.s3_access_key_id.get_secret_value(),
        secret=settings.s3_secret_access_key.get_secret_value(),
    )
    return S3Store(S3Clients(place), settings.s3_bucket, settings.s3_server_side_encryption)
