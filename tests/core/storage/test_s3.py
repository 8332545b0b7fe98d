"""What is particular to a bucket: signed requests, parts, faults of the service, and how little is asked of it."""

import base64
import hashlib
import hmac
import http.client
import os
import socket
import subprocess
import sys
import threading
import tracemalloc
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from app.core.errors import AppError, Code
from app.core.storage import s3
from app.core.storage.s3_client import S3Clients
from tests.fixtures.s3 import HASTY, PLACE, bucket_at, closes

KEY = "files/reef/original"
TEXT = b"Sea stars have no brain."
SHA256 = hashlib.sha256(TEXT).digest()
SOON = datetime(2100, 1, 1, tzinfo=UTC)
ROOT = Path(__file__).parents[3]


def sends(url, method="GET", body=None, headers=None):
    """What a client gets that knows nothing but the URL."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=20)
    try:
        connection.request(method, f"{parts.path}?{parts.query}", body, headers or {})
        answer = connection.getresponse()
        return answer.status, answer.read(), answer.headers
    finally:
        connection.close()


def signed_headers(url):
    return set(parse_qs(urlsplit(url).query)["X-Amz-SignedHeaders"][0].split(";"))


def sent_signature(url):
    return parse_qs(urlsplit(url).query)["X-Amz-Signature"][0]


def signature_of(url, headers):
    """What a service computes for a presigned PUT (AWS: Authenticating Requests, Using Query Parameters)."""
    parts = urlsplit(url)
    query = [pair for pair in parts.query.split("&") if not pair.startswith("X-Amz-Signature=")]
    told = {name: values[0] for name, values in parse_qs(parts.query).items()}
    sent = {name.lower(): value for name, value in headers.items()} | {"host": parts.netloc}
    names = told["X-Amz-SignedHeaders"].split(";")
    lines = ["PUT", parts.path, "&".join(sorted(query)), *(f"{name}:{sent[name]}" for name in names), ""]
    request = "\n".join([*lines, ";".join(names), "UNSIGNED-PAYLOAD"])
    scope = told["X-Amz-Credential"].partition("/")[2]
    text = "\n".join(
        [told["X-Amz-Algorithm"], told["X-Amz-Date"], scope, hashlib.sha256(request.encode()).hexdigest()]
    )
    key = f"AWS4{PLACE.secret}".encode()
    for step in scope.split("/"):
        key = hmac.digest(key, step.encode(), "sha256")
    return hmac.digest(key, text.encode(), "sha256").hex()


def test_a_small_object_is_known_by_its_sha256(bucket):
    bucket.put(KEY, [TEXT])
    assert bucket.facts(KEY).sha256 == SHA256
    bucket.copy(KEY, "files/twin")
    assert bucket.facts("files/twin").sha256 == SHA256


def test_the_service_is_asked_to_encrypt(bucket):
    for key, pieces in ((KEY, [TEXT]), ("files/large", [bytes(9 * 2**20)])):
        bucket.put(key, pieces)
        head = bucket._clients.usual.head_object(Bucket=bucket._bucket, Key=key)
        assert head["ServerSideEncryption"] == "AES256"


def test_parts_take_little_memory(bucket):
    """However large the object is: one part, and what boto3 makes of it."""
    pieces = (bytes(2**18) for _ in range(4 * 40))
    bucket.check()
    tracemalloc.start()
    bucket.put(KEY, pieces)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert bucket.facts(KEY).size == 40 * 2**20
    assert peak < 40 * 2**20


def test_parts_without_an_end_are_swept(bucket):
    """What a process that was killed left behind: invisible, and removed in time."""
    client, at = bucket._clients.usual, {"Bucket": bucket._bucket, "Key": KEY}
    upload = client.create_multipart_upload(**at)["UploadId"]
    client.upload_part(**at, UploadId=upload, PartNumber=1, Body=bytes(1000))
    assert bucket.facts(KEY) is None
    assert bucket.sweep_unfinished(datetime(2000, 1, 1, tzinfo=UTC)) == 0
    assert bucket.sweep_unfinished(SOON) == 1
    assert bucket.sweep_unfinished(SOON) == 0


def test_more_objects_than_one_page_are_listed(bucket, monkeypatch):
    monkeypatch.setattr(s3, "PAGE", 4)
    keys = [f"files/{number:04}" for number in range(11)]
    for key in keys:
        bucket.put(key, [])
    assert [facts.key for facts in bucket.objects("files/")] == keys


class TestSignedRead:
    """A URL for one object, for a while."""

    def test_it_reads_with_these_headers(self, bucket):
        bucket.put(KEY, [TEXT])
        disposition = "attachment; filename*=UTF-8''Seestern%20%E2%82%AC.txt"
        url = bucket.sign_read(KEY, seconds=60, content_type="text/plain", disposition=disposition)
        status, body, headers = sends(url)
        assert (status, body) == (200, TEXT)
        assert (headers["Content-Type"], headers["Content-Disposition"]) == ("text/plain", disposition)

    def test_it_says_how_long(self, bucket):
        url = bucket.sign_read(KEY, seconds=60, content_type="text/plain", disposition="attachment")
        query = parse_qs(urlsplit(url).query)
        assert query["X-Amz-Expires"] == ["60"]
        assert query["X-Amz-Algorithm"] == ["AWS4-HMAC-SHA256"]

    def test_it_names_the_address_that_clients_find(self, make_bucket):
        inner = make_bucket(public_endpoint="https://files.example.com")
        url = inner.sign_read(KEY, seconds=60, content_type="text/plain", disposition="attachment")
        assert url.startswith(f"https://files.example.com/{inner._bucket}/{KEY}?")
        assert "no-secret-at-all" not in url

    def test_nobody_is_asked(self, dead_port):
        away = bucket_at(f"http://127.0.0.1:{dead_port}")
        assert away.sign_read(KEY, seconds=60, content_type="text/plain", disposition="attachment")


class TestSignedWrite:
    """A request that stores exactly what was announced."""

    @pytest.fixture
    def request_of(self, bucket):
        def sign(**changes):
            wanted = {"seconds": 60, "size": len(TEXT), "sha256": SHA256, "content_type": "text/plain"}
            return bucket.sign_write(KEY, **{**wanted, **changes})

        return sign

    def test_it_stores(self, bucket, request_of):
        signed = request_of()
        assert sends(signed.url, signed.method, TEXT, signed.headers)[0] == 200
        facts = bucket.facts(KEY)
        assert (facts.size, facts.sha256) == (len(TEXT), SHA256)

    def test_all_that_binds_is_signed(self, request_of):
        """The service computes the signature over these headers as they came: with another value it is another one."""
        signed = request_of()
        assert signed_headers(signed.url) == {
            "content-length", "content-type", "host", "x-amz-checksum-sha256", "x-amz-sdk-checksum-algorithm",
            "x-amz-server-side-encryption",
        }  # fmt: skip
        assert {name.lower() for name in signed.headers} == signed_headers(signed.url) - {"host"}
        assert signed.headers["x-amz-checksum-sha256"] == base64.b64encode(SHA256).decode()

    def test_a_request_with_anything_else_is_not_the_signed_one(self, request_of):
        """The test's service checks no signatures, so this does it as AWS documents it."""
        signed = request_of()
        assert signature_of(signed.url, signed.headers) == sent_signature(signed.url)
        others = {
            "Content-Length": "25",
            "Content-Type": "text/html",
            "x-amz-checksum-sha256": base64.b64encode(bytes(32)).decode(),
            "x-amz-server-side-encryption": "aws:kms",
        }
        for name, value in others.items():
            assert signature_of(signed.url, {**signed.headers, name: value}) != sent_signature(signed.url)
        longer = signed.url.replace("X-Amz-Expires=60", "X-Amz-Expires=600")
        elsewhere = signed.url.replace(KEY, "files/wreck/original")
        for url in (longer, elsewhere):
            assert signature_of(url, signed.headers) != sent_signature(url)

    def test_without_encryption_there_is_no_header_of_it(self, make_bucket):
        bare = make_bucket()
        bare._encryption = {}
        signed = bare.sign_write(KEY, seconds=60, size=1, sha256=SHA256, content_type="text/plain")
        assert "x-amz-server-side-encryption" not in signed_headers(signed.url) | set(signed.headers)


USES = {
    "put": lambda store: store.put(KEY, [TEXT]),
    "put in parts": lambda store: store.put(KEY, [bytes(9 * 2**20)]),
    "read": lambda store: list(store.read(KEY)),
    "facts": lambda store: store.facts(KEY),
    "copy": lambda store: store.copy(KEY, "files/twin"),
    "delete": lambda store: store.delete(KEY),
    "objects": lambda store: list(store.objects()),
    "sweep": lambda store: store.sweep_unfinished(SOON),
    "check": lambda store: store.check(),
}


@pytest.mark.parametrize("use", USES)
class TestFaults:
    """D14: whatever is wrong with the service, the answer is `storage_unavailable`."""

    def is_unavailable(self, store, use):
        try:
            with pytest.raises(AppError) as error:
                USES[use](store)
        finally:
            closes(store)
        assert (error.value.code, error.value.retry_after) == (Code.storage_unavailable, 30)

    def test_d14_nobody_listens(self, dead_port, use):
        self.is_unavailable(bucket_at(f"http://127.0.0.1:{dead_port}", patience=HASTY), use)

    def test_d14_nobody_answers(self, silent_port, use):
        """Every step has an end, which is a setting of the client; here half a second."""
        self.is_unavailable(bucket_at(f"http://127.0.0.1:{silent_port}", patience=HASTY), use)

    def test_d14_the_service_says_503(self, failing_service, use):
        self.is_unavailable(bucket_at(failing_service, patience=HASTY), use)

    def test_d14_there_is_no_such_bucket(self, s3_endpoint, use):
        store = bucket_at(s3_endpoint, bucket="no-such-bucket")
        if use in {"facts", "read", "copy"}:  # a missing object and a missing bucket look alike to HEAD
            closes(store)
            return
        self.is_unavailable(store, use)


@pytest.fixture
def silent_port():
    """The system takes the connection; nobody ever reads from it."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture(scope="module")
def failing_service():
    """Answers everything with 503, as S3 does when it has too much to do."""

    class Overloaded(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self):
            body = b"<Error><Code>SlowDown</Code><Message>Reduce your request rate.</Message></Error>"
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.send_response(503)
            self.send_header("Content-Type", "application/xml")
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Connection", "close")
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def __getattr__(self, name):
            if name.startswith("do_"):
                return self.answer
            raise AttributeError(name)

        def log_message(self, *_words):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Overloaded)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join(10)


def test_a_client_is_made_once_a_process(s3_endpoint):
    clients = S3Clients(PLACE)
    assert clients.usual is clients.usual
    [(process, kind)] = clients._made
    assert (process, kind) == (os.getpid(), "usual")
    clients._made = {(process + 1, kind): None}
    assert clients.usual is not None, "a client of the process before the fork is not used"
    clients.usual.close()


def test_boto3_is_not_loaded_before_it_is_needed():
    """It takes a third of a second, which `flask --help` and a service with a folder need not spend."""
    code = "import sys, app.core.storage.build, app.cli.storage; print('boto3' in sys.modules, 'botocore' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "False False\n"
