"""One large file through the whole service: how fast beside the limits of the machine, and in how little memory.

    .venv/bin/python -m benchmarks.large_files [--mebibytes 1024]

Real gunicorn, two processes, objects in a folder, everything on loopback and on one disk. The file is sent by form; by tus in
chunks of 5 MiB, where the client is killed half-way and another one goes on; and straight to a bucket (moto's server). It is
fetched whole, and by four clients at once, each a quarter. In the same run ``dd`` writes the same file with fsync, and nginx
(where it is installed) serves it to the same client. Printed: ratios to those two, and the peak memory of each process. The exit
code is 1 when a SHA-256 differs or a process needed more than 150 MiB.
"""

import argparse
import hashlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

from benchmarks.bucket import bucket
from benchmarks.large_transfers import Link, fetch, send_direct, send_form, send_tus, tus_progress
from benchmarks.served import Served, busy, served
from dev.engine_state import free_port

MIB = 2**20
MOST_MEMORY = 150
ROOM = {"UPLOAD_MAX_BYTES": str(5 * 2**30), "PROJECT_QUOTA_BYTES": "0", "ACCOUNT_QUOTA_BYTES": "0"}


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--mebibytes", type=int, default=1024)
    size = arguments.parse_args().mebibytes * MIB
    print(busy())
    with tempfile.TemporaryDirectory(prefix="holdfast-large-") as folder:
        source = Path(folder) / "large.txt"
        digest = write_text(source, size)
        wrong = [*_local(source, size, digest), *_remote(source, size, digest)]
    for fault in wrong:
        print(f"wrong: {fault}")
    return 1 if wrong else 0


def write_text(path: Path, size: int) -> str:
    """A text without end: 64 characters a line, never twice the same. Its SHA-256."""
    digest, left = hashlib.sha256(), size
    with path.open("wb") as file:
        while left:
            piece = os.urandom(MIB // 2).hex().encode()[:left]
            digest.update(piece)
            file.write(piece)
            left -= len(piece)
    return digest.hexdigest()


def _local(source: Path, size: int, digest: str) -> Iterator[str]:
    with served(1, **ROOM) as service, ExitStack() as stack:
        link = Link.of(service)
        written = timed(lambda: _dd(source))
        _say("dd with fsync", size, written)
        made, took = result_of(lambda: send_form(link, source))
        _say("upload by form", size, took, written, "dd")
        yield from _differs("by form", made["sha256"], digest)
        content = f"{link.path}/files/{made['id']}/content"
        nginx = stack.enter_context(_nginx(source))
        limit = timed(lambda: fetch("127.0.0.1", nginx, f"/{source.name}", {})) if nginx else 0.0
        if nginx:
            _say("download from nginx", size, limit)
        told, took = result_of(lambda: fetch("127.0.0.1", service.port, content, link.headers))
        _say("download", size, took, limit, "nginx")
        yield from _differs("download", told, digest)
        yield from _differs("four ranges at once", _by_ranges(link, content, size), digest)
        made, took = result_of(lambda: _resumed(link, source))
        _say("upload by tus, killed half-way and resumed", size, took, written, "dd")
        yield from _differs("by tus", made, digest)
        yield from _memory("gunicorn", service)


def _remote(source: Path, size: int, digest: str) -> Iterator[str]:
    with bucket() as settings, served(1, **ROOM, **settings) as service:
        link = Link.of(service)
        made, took = result_of(lambda: send_direct(link, source, digest))
        _say("upload straight to the bucket (moto)", size, took)
        yield from _differs("direct", made["sha256"], digest)
        yield from _memory("gunicorn before a bucket", service)


def _resumed(link: Link, source: Path) -> str:
    """A client of its own process is killed when half has arrived; another one goes on."""
    where = link.begin_tus(source)
    first = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.large_transfers", str(link.port), link.token, where, str(source)]
    )
    while tus_progress(link, where)["offset"] < source.stat().st_size // 2:
        time.sleep(0.01)
    first.kill()
    first.wait()
    print(f"  killed at {tus_progress(link, where)['offset'] // MIB} MiB")
    send_tus(link, where, source)
    told = link.ask("GET", f"{link.path}/files/{tus_progress(link, where)['file_id']}")
    return str(told["sha256"])


def _by_ranges(link: Link, content: str, size: int) -> str:
    """The SHA-256 of four parts, fetched at once."""
    quarter = -(-size // 4)
    with tempfile.TemporaryDirectory(prefix="holdfast-parts-") as folder, ThreadPoolExecutor(4) as pool:
        parts = [Path(folder) / str(number) for number in range(4)]

        def one(number: int) -> None:
            wanted = f"bytes={number * quarter}-{min(size, (number + 1) * quarter) - 1}"
            with parts[number].open("wb") as target:
                fetch("127.0.0.1", link.port, content, {**link.headers, "Range": wanted}, target)

        list(pool.map(one, range(4)))
        digest = hashlib.sha256()
        for part in parts:
            with part.open("rb") as file:
                while piece := file.read(MIB):
                    digest.update(piece)
        return digest.hexdigest()


def _dd(source: Path) -> None:
    target = source.with_suffix(".copy")
    command = ["dd", f"if={source}", f"of={target}", "bs=1M", "conv=fsync", "status=none"]
    subprocess.run(command, check=True)
    target.unlink()


@contextmanager
def _nginx(source: Path) -> Iterator[int | None]:
    port, folder = free_port(), source.parent
    (folder / "nginx.conf").write_text(
        f"daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log; events {{}}\n"
        f"http {{ access_log off; sendfile on; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;"
        f" fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;"
        f" server {{ listen 127.0.0.1:{port}; root {folder}; }} }}\n"
    )
    folder.chmod(0o755)
    try:
        process = subprocess.Popen(["nginx", "-c", str(folder / "nginx.conf")])
    except FileNotFoundError:
        print("nginx is not installed: no ratio for the download")
        yield None
        return
    time.sleep(0.5)
    try:
        yield port
    finally:
        process.terminate()
        process.wait(10)


def _memory(name: str, service: Served) -> Iterator[str]:
    for pid in sorted({service.pid, *service.workers()}):
        status = Path(f"/proc/{pid}/status").read_text()
        peak = int(status.partition("VmHWM:")[2].split()[0]) // 1024
        print(f"peak memory of {name} {pid}: {peak} MiB")
        if peak > MOST_MEMORY:
            yield f"{name} {pid} needed {peak} MiB"


def result_of(call: Callable[[], object]) -> tuple[object, float]:
    started = time.perf_counter()
    told = call()
    return told, time.perf_counter() - started


def timed(call: Callable[[], object]) -> float:
    return result_of(call)[1]


def _say(what: str, size: int, took: float, limit: float = 0.0, of: str = "") -> None:
    ratio = f", {limit / took:.2f} of {of}" if limit else ""
    print(f"{what}: {took:.2f} s, {size / MIB / took:.0f} MiB/s{ratio}")


def _differs(what: str, told: object, digest: str) -> Iterator[str]:
    if told != digest:
        yield f"{what}: SHA-256 {told}"


if __name__ == "__main__":
    sys.exit(main())
