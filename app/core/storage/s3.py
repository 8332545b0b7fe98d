"""Objects in a bucket of any service that speaks S3: AWS, DigitalOcean Spaces, MinIO and others."""

import contextlib
import hashlib
from base64 import b64decode, b64encode
from collections.abc import Generator, Iterable, Iterator
from datetime import UTC, datetime
from typing import Any, BinaryIO

from app.core.errors import AppError
from app.core.storage.interface import ObjectFacts, ObjectMissingError, SignedRequest, StoredObject
from app.core.storage.object_keys import checked
from app.core.storage.pieces import PIECE, Tally, begun, exactly
from app.core.storage.s3_client import S3Clients, code_of, s3_faults

PART = 8 * 2**20
"""What is sent at once; more is a multipart upload. 10,000 parts are the most (80 GiB), 5 MiB the least of one."""
PAGE = 1_000
RANGE_OUTSIDE = "InvalidRange"


class S3Store:
    """A back end.

    Args:
        clients: of the service.
        bucket: its name; it must be there.
        encryption: what the service is asked to encrypt with; empty for nothing.
    """

    name = "s3"

    def __init__(self, clients: S3Clients, bucket: str, encryption: str = "") -> None:
        self._clients = clients
        self._bucket = bucket
        self._encryption = {"ServerSideEncryption": encryption} if encryption else {}

    def put(self, key: str, pieces: Iterable[bytes]) -> StoredObject:
        checked(key)
        tally = Tally(pieces)
        parts = exactly(tally, PART)
        first, only = next(parts)
        if only:
            self._put_whole(key, bytes(first), tally.stored.sha256)
        else:
            self._put_parts(key, first, parts)
        return tally.stored

    def _put_whole(self, key: str, content: bytes, sha256: bytes) -> None:
        with s3_faults():
            self._clients.usual.put_object(
                **self._at(key),
                **self._encryption,
                Body=content,
                **_bound_to(sha256),
            )

    def _put_parts(self, key: str, first: Any, rest: Iterator[tuple[Any, bool]]) -> None:
        """Part by part, so that one of them is in memory; what is not completed is never visible."""
        client, at = self._clients.usual, self._at(key)
        with s3_faults():
            at["UploadId"] = client.create_multipart_upload(**at, **self._encryption)["UploadId"]
        try:
            sent = [self._put_part(at, 1, first)]
            del first
            for number, (part, _last) in enumerate(rest, start=2):
                sent.append(self._put_part(at, number, part))
            with s3_faults():
                client.complete_multipart_upload(**at, MultipartUpload={"Parts": sent})
        except BaseException:
            with contextlib.suppress(AppError), s3_faults():  # what cannot be aborted now is swept later
                client.abort_multipart_upload(**at)
            raise

    def _put_part(self, at: dict[str, Any], number: int, part: Any) -> dict[str, Any]:
        content = bytes(part)
        md5 = b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode()
        with s3_faults():
            answer = self._clients.usual.upload_part(**at, PartNumber=number, Body=content, ContentMD5=md5)
        return {"PartNumber": number, "ETag": answer["ETag"]}

    def read(self, key: str, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        return begun(self._pieces(key, start, length))

    def _pieces(self, key: str, start: int, length: int | None) -> Generator[bytes, None, None]:
        body = self._body(key, start, length)
        if body is None:
            yield b""
            return
        with contextlib.closing(body):
            yield b""
            while True:
                with s3_faults(key):
                    piece = body.read(PIECE)
                if not piece:
                    return
                yield piece

    def _body(self, key: str, start: int, length: int | None) -> Any:
        """The stream; ``None`` where nothing is in the range."""
        if length == 0:
            if self.facts(key) is None:
                raise ObjectMissingError(key)
            return None
        end = "" if length is None else start + length - 1
        some = {} if start == 0 and length is None else {"Range": f"bytes={start}-{end}"}
        with s3_faults(key):
            client = self._clients.usual
            try:
                return client.get_object(**self._at(key), **some)["Body"]
            except client.exceptions.ClientError as error:
                if code_of(error) != RANGE_OUTSIDE:
                    raise
                return None

    def facts(self, key: str) -> ObjectFacts | None:
        try:
            with s3_faults(key):
                head = self._clients.usual.head_object(**self._at(key), ChecksumMode="ENABLED")
        except ObjectMissingError:
            return None
        return ObjectFacts(key, head["ContentLength"], head["LastModified"].astimezone(UTC), _sha256_of(head))

    def copy(self, source: str, target: str) -> None:
        """The service copies; above 5 GiB in parts."""
        with s3_faults(source):
            self._clients.usual.copy(
                self._at(source), self._bucket, checked(target), ExtraArgs=dict(self._encryption)
            )

    def delete(self, key: str) -> None:
        with s3_faults():
            self._clients.usual.delete_object(**self._at(key))

    def objects(self, prefix: str = "") -> Iterator[ObjectFacts]:
        for found in self._pages("list_objects_v2", "Contents", Prefix=prefix):
            yield ObjectFacts(found["Key"], found["Size"], found["LastModified"].astimezone(UTC))

    def sweep_unfinished(self, before: datetime) -> int:
        swept = 0
        for found in self._pages("list_multipart_uploads", "Uploads"):
            if found["Initiated"] < before:
                at = {"Bucket": self._bucket, "Key": found["Key"], "UploadId": found["UploadId"]}
                with contextlib.suppress(ObjectMissingError), s3_faults(found["Key"]):
                    self._clients.usual.abort_multipart_upload(**at)
                    swept += 1
        return swept

    def check(self) -> None:
        with s3_faults():
            self._clients.brief.head_bucket(Bucket=self._bucket)

    def open_plain(self, key: str) -> BinaryIO | None:  # noqa: ARG002 - the interface's
        return None

    def served_path(self, key: str) -> str | None:  # noqa: ARG002 - the interface's
        return None

    def sign_read(self, key: str, *, seconds: int, content_type: str, disposition: str) -> str | None:
        wanted = {"ResponseContentType": content_type, "ResponseContentDisposition": disposition}
        return self._signed("get_object", seconds, **self._at(key), **wanted)

    def sign_write(
        self, key: str, *, seconds: int, size: int, sha256: bytes, content_type: str
    ) -> SignedRequest | None:
        """Size, type, SHA-256 and encryption are signed headers: a request with others is refused before it is stored."""
        url = self._signed(
            "put_object",
            seconds,
            **self._at(key),
            **self._encryption,
            ContentLength=size,
            ContentType=content_type,
            **_bound_to(sha256),
        )
        headers = {
            "Content-Length": str(size),
            "Content-Type": content_type,
            "x-amz-checksum-sha256": b64encode(sha256).decode(),
            "x-amz-sdk-checksum-algorithm": "SHA256",
        }
        if self._encryption:
            headers["x-amz-server-side-encryption"] = self._encryption["ServerSideEncryption"]
        return SignedRequest("PUT", url, headers)

    def _signed(self, operation: str, seconds: int, **parameters: Any) -> str:
        with s3_faults():
            url = self._clients.signing.generate_presigned_url(operation, parameters, ExpiresIn=seconds)
        return str(url)

    def _pages(self, operation: str, member: str, **parameters: Any) -> Iterator[dict[str, Any]]:
        with s3_faults():
            pages = iter(
                self._clients.usual.get_paginator(operation).paginate(
                    Bucket=self._bucket, PaginationConfig={"PageSize": PAGE}, **parameters
                )
            )
        while True:
            with s3_faults():
                page = next(pages, None)
            if page is None:
                return
            yield from page.get(member, ())

    def _at(self, key: str) -> dict[str, Any]:
        return {"Bucket": self._bucket, "Key": checked(key)}


def _bound_to(sha256: bytes) -> dict[str, str]:
    """The service compares it with what arrives, and keeps it."""
    return {"ChecksumAlgorithm": "SHA256", "ChecksumSHA256": b64encode(sha256).decode()}


def _sha256_of(head: dict[str, Any]) -> bytes | None:
    """What the service itself compared; the checksum of the checksums of parts is none of the content."""
    checksum = head.get("ChecksumSHA256", "")
    return b64decode(checksum) if checksum and "-" not in checksum else None
