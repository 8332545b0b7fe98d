"""Clients of a service that speaks S3, and what its errors mean to us."""

import contextlib
import functools
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from app.core.storage.interface import ObjectMissingError, storage_unavailable

MISSING = {"NoSuchKey", "404", "NotFound"}
CONNECTIONS = 64


@dataclass(frozen=True)
class S3Patience:
    """How long a service may take. Attributes: connect, read: seconds for each try. tries: with a growing pause between."""

    connect: float = 2.0
    read: float = 20.0
    tries: int = 3


AT_WORK, ASKED_BRIEFLY = S3Patience(), S3Patience(1.0, 2.0, 1)


@dataclass(frozen=True)
class S3Place:
    """Attributes: endpoint: empty for AWS. key_id, secret: empty for what the machine's role brings."""

    bucket: str
    region: str
    endpoint: str = ""
    public_endpoint: str = ""
    key_id: str = ""
    secret: str = ""


class S3Clients:
    """Clients made on first use, one of a kind and process: making one takes a while, and the connections of one that was made
    before a fork would be shared. A client may be used by all threads.

    Args:
        place: where the bucket is.
        patience: of the usual client.
    """

    def __init__(self, place: S3Place, patience: S3Patience = AT_WORK) -> None:
        self._place = place
        self._patience = patience
        self._lock = threading.Lock()
        self._made: dict[tuple[int, str], Any] = {}

    @property
    def usual(self) -> Any:
        return self._client("usual", self._place.endpoint, self._patience)

    @property
    def brief(self) -> Any:
        """For /readyz, which should not wait."""
        return self._client("brief", self._place.endpoint, ASKED_BRIEFLY)

    @property
    def signing(self) -> Any:
        """Signs for the address at which clients find the service; asks nothing."""
        return self._client("signing", self._place.public_endpoint or self._place.endpoint, self._patience)

    def _client(self, kind: str, endpoint: str, patience: S3Patience) -> Any:
        own = (os.getpid(), kind)
        found = self._made.get(own)
        if found is None:
            with self._lock:
                found = self._made.get(own) or self._make(endpoint, patience)
                self._made[own] = found
        return found

    def _make(self, endpoint: str, patience: S3Patience) -> Any:
        from botocore.config import Config  # noqa: PLC0415 - see below

        place = self._place
        # Checksums only where we ask for them: not every service knows those that boto3 would add (the trailers of CRC32).
        config = Config(
            signature_version="s3v4",
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
            retries={"mode": "standard", "total_max_attempts": patience.tries},
            connect_timeout=patience.connect,
            read_timeout=patience.read,
            max_pool_connections=CONNECTIONS,
            # Names of buckets in the host need DNS that only the large services have.
            s3={"addressing_style": "path" if endpoint else "auto"},
        )
        with _making:
            return _session().client(
                "s3",
                region_name=place.region,
                endpoint_url=endpoint or None,
                aws_access_key_id=place.key_id or None,
                aws_secret_access_key=place.secret or None,
                config=config,
            )


# A session makes one client at a time.
_making = threading.Lock()


@functools.cache
def _session() -> Any:
    """One for the process: reading what boto3 knows of S3 is most of making a client."""
    # Not above: it takes a third of a second, and most commands and services with a folder never need it.
    import boto3  # noqa: PLC0415 - see above

    return boto3.session.Session()


@contextlib.contextmanager
def s3_faults(key: str = "") -> Iterator[None]:
    """Errors of the service, of the network and of the credentials as ours.

    Raises:
        ObjectMissingError: there is no such object.
        AppError: ``storage_unavailable`` for all else; the error itself is its cause.
    """
    from boto3.exceptions import Boto3Error  # noqa: PLC0415 - as in _session
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - as in _session

    try:
        yield
    except ClientError as error:
        if key and code_of(error) in MISSING:
            raise ObjectMissingError(key) from None
        if _refused(error):
            raise storage_unavailable("refuses what the service asks for") from error
        raise storage_unavailable() from error
    except (BotoCoreError, Boto3Error, OSError) as error:
        raise storage_unavailable() from error


def code_of(error: Any) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def _refused(error: Any) -> bool:
    """Whether trying again is of no use: rights, names, settings."""
    return error.response.get("ResponseMetadata", {}).get("HTTPStatusCode") in {400, 401, 403, 404}
