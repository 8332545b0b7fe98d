"""D9, measured: uploads and other bodies that stand still, and whoever reads meanwhile does not notice.

    .venv/bin/python -m benchmarks.stalled_uploads [--stalled 32] [--active 16] [--seconds 15] [--reads 20]

Real gunicorn, 2 processes. Reads of `GET /api/v1/projects` come at a steady pace, whether or not earlier ones were answered:
on the idle service, beside uploads that sent 1 KiB and stopped, beside JSON that stopped in the middle, beside both, and beside
uploads that go as fast as they can. The exit code is 1 when the reads' p95 beside stalled ones is more than twice the idle
one, or a read failed. Uploads at full speed share the cores with everybody; they are reported only.
"""

import argparse
import socket
import sys
import threading
import time
from contextlib import ExitStack

from benchmarks.served import Served, busy, served
from benchmarks.sign_in_flood import read_steadily, show

PROJECTS = "/api/v1/projects"
BOUNDARY = "kelp-and-urchins"
UPLOAD_TYPE = f"multipart/form-data; boundary={BOUNDARY}"
FORM = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="reef.txt"\r\n\r\n'.encode()
END = f"\r\n--{BOUNDARY}--\r\n".encode()
UPLOAD_BYTES = 1_000_000
JSON_BYTES = 1_000
TIMES_IDLE = 2.0


def head(token: str, path: str, content_type: str, length: int) -> bytes:
    """The beginning of a request with a body."""
    lines = (
        f"POST {path} HTTP/1.1", "Host: localhost", f"Authorization: Bearer {token}",
        f"Content-Type: {content_type}", f"Content-Length: {length}", "", "",
    )  # fmt: skip
    return "\r\n".join(lines).encode()


class Stalled:
    """So many requests that stop in the middle of their body, until the block ends."""

    def __init__(self, service: Served, number: int, begun: bytes) -> None:
        self._begun = begun
        self._sockets = [socket.create_connection(("127.0.0.1", service.port)) for _ in range(number)]

    def __enter__(self) -> "Stalled":
        for sock in self._sockets:
            sock.sendall(self._begun)
        return self

    def __exit__(self, *_: object) -> None:
        for sock in self._sockets:
            sock.close()


class Active:
    """So many uploads at full speed, one after the other on each connection, until the block ends.

    Attributes:
        done: how many were answered.
    """

    def __init__(self, service: Served, number: int, whole: bytes) -> None:
        self.done = 0
        self._port, self._whole = service.port, whole
        self._lock, self._stop = threading.Lock(), threading.Event()
        self._threads = [threading.Thread(target=self._go_on) for _ in range(number)]

    def __enter__(self) -> "Active":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _go_on(self) -> None:
        while not self._stop.is_set():
            with socket.create_connection(("127.0.0.1", self._port), timeout=30) as sock:
                sock.sendall(self._whole)
                if sock.recv(65536):
                    with self._lock:
                        self.done += 1


def main() -> int:
    """The exit code: 0 when reading stays as quick as it was."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--stalled", type=int, default=32, help="bodies that stand still (32)")
    parser.add_argument("--active", type=int, default=16, help="uploads at full speed; 0 to skip (16)")
    parser.add_argument("--seconds", type=int, default=15, help="of each part (15)")
    parser.add_argument("--reads", type=int, default=20, help="a second (20)")
    parser.add_argument("--threads", type=int, default=4, help="of each process (4)")
    options = parser.parse_args()
    print(busy())
    slow = []
    with served(1, THREADS=str(options.threads)) as service:
        token = service.sign_in(1)["access_token"]
        project = service.ask("POST", PROJECTS, {"name": "Uploads"}, token)[1]["id"]
        upload = head(token, f"{PROJECTS}/{project}/files", UPLOAD_TYPE, UPLOAD_BYTES) + FORM
        rest = UPLOAD_BYTES - len(FORM) - len(END)
        stalls = {
            "stalled uploads": [upload + b"kelp" * 256],
            "stalled JSON": [head(token, PROJECTS, "application/json", JSON_BYTES) + b'{"name": '],
        }
        stalls["both"] = [begun for pieces in tuple(stalls.values()) for begun in pieces]
        read_steadily(service, token, options.reads, 2)
        idle, well = read_steadily(service, token, options.reads, options.seconds)
        first = show("idle", idle, well)
        for what, pieces in stalls.items():
            with ExitStack() as stack:
                for begun in pieces:
                    stack.enter_context(Stalled(service, options.stalled, begun))
                time.sleep(1)
                took, answers = read_steadily(service, token, options.reads, options.seconds)
            ratio = show(what, took, answers) / first
            print(f"{'':24}p95 is {ratio:.1f} times the idle one")
            if ratio > TIMES_IDLE or set(answers) != {200}:
                slow.append(what)
        if options.active:
            with Active(
                service, options.active, upload + b"kelp\n" * (rest // 5) + b"k" * (rest % 5) + END
            ) as active:
                took, answers = read_steadily(service, token, options.reads, options.seconds)
            ratio = show("uploads at full speed", took, answers) / first
            print(f"{'':24}p95 is {ratio:.1f} times the idle one; {active.done} uploads were answered")
    if slow:
        print(f"too slow, or failed: {', '.join(slow)}")
    return int(bool(slow))


if __name__ == "__main__":
    sys.exit(main())
