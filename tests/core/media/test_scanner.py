"""The virus scanner is ClamAV itself, over both kinds of socket (SEC-46)."""

import contextlib
import io
import socket
import threading

import pytest

from app.core.media.scanner import Scanner, ScannerUnavailableError, TooLargeToScanError
from tests.fixtures.bad_files import EICAR, INFECTED
from tests.fixtures.clamd import LARGEST, SIGNATURE
from tests.fixtures.pictures import photo


@pytest.fixture(params=["unix", "tcp"])
def scanner(clamd, request):
    path, port = clamd
    return Scanner(f"unix://{path}" if request.param == "unix" else f"tcp://127.0.0.1:{port}")


@contextlib.contextmanager
def one_that_says(answer):
    """A server that reads to the end of the command and says this; ``None`` says nothing and waits."""
    with socket.create_server(("127.0.0.1", 0)) as server, contextlib.ExitStack() as kept:

        def serve():
            connection, _ = server.accept()
            kept.enter_context(connection)
            connection.recv(2**16)
            # Who has read enough leaves.
            with contextlib.suppress(OSError):
                if answer is not None:
                    connection.sendall(answer)
                    connection.shutdown(socket.SHUT_WR)

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"tcp://127.0.0.1:{server.getsockname()[1]}"
        thread.join()


def test_sec_46_a_clean_file_is_clean(scanner):
    verdict = scanner.scan(io.BytesIO(photo()))
    assert verdict.clean
    assert not verdict.signature


@pytest.mark.parametrize("bad", INFECTED, ids=str)
def test_sec_46_an_infected_file_is_found_and_named(scanner, bad):
    verdict = scanner.scan(io.BytesIO(bad.content))
    assert verdict.infected
    assert verdict.signature == f"{SIGNATURE}.UNOFFICIAL"


def test_a_file_is_read_from_its_start(scanner):
    stream = io.BytesIO(EICAR)
    stream.seek(0, 2)
    assert scanner.scan(stream).infected


def test_an_empty_file_is_clean(scanner):
    assert scanner.scan(io.BytesIO()).clean


def test_a_file_in_many_pieces_is_seen_whole(scanner):
    assert scanner.scan(io.BytesIO(bytes(LARGEST - len(EICAR)) + EICAR)).infected


def test_what_is_larger_than_clamd_takes_is_told_apart(scanner):
    with pytest.raises(TooLargeToScanError):
        scanner.scan(io.BytesIO(bytes(8 * LARGEST)))


def test_a_scanner_that_is_there_says_so(scanner):
    scanner.ping()


def test_many_ask_at_once(scanner):
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(scanner.scan(io.BytesIO(EICAR)))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [verdict.infected for verdict in found] == [True] * 8


@pytest.mark.parametrize("ask", [Scanner.ping, lambda scanner: scanner.scan(io.BytesIO(b"!"))])
@pytest.mark.parametrize(
    "url", ["tcp://127.0.0.1:1", "unix:///nowhere/at/all", "tcp://no.such.host.invalid:3310"]
)
def test_sec_46_no_scanner_is_no_clean_file(url, ask):
    with pytest.raises(ScannerUnavailableError):
        ask(Scanner(url))


@pytest.mark.parametrize(
    "answer",
    [b"", b"stream: Can't allocate memory ERROR\0", b"COMMAND READ TIMED OUT\0", b"\xff" * 9_000, b"OKAY\0"],
)
def test_sec_46_any_other_answer_is_no_clean_file(answer):
    with one_that_says(answer) as url, pytest.raises(ScannerUnavailableError):
        Scanner(url).scan(io.BytesIO(b"!"))
    with one_that_says(answer) as url, pytest.raises(ScannerUnavailableError):
        Scanner(url).ping()


def test_sec_46_a_scanner_that_never_answers_is_given_up():
    with one_that_says(None) as url, pytest.raises(ScannerUnavailableError):
        Scanner(url, answer_seconds=0.1).scan(io.BytesIO(b"!"))
