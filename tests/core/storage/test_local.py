"""Objects as files: whole or not there at all, for our eyes alone, whatever goes wrong."""

import os
import signal
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.core.errors import AppError, Code
from app.core.storage.encryption import MAGIC
from app.core.storage.interface import DamagedObjectError, ObjectMissingError
from app.core.storage.local import LocalStore
from app.core.storage.sorted_names import in_order

KEY = "files/reef/original"
TEXT = b"Kelp grows half a metre a day."
SOON = datetime(2100, 1, 1, tzinfo=UTC)
ROOT = Path(__file__).parents[3]


def files_in(folder):
    return [path for path in folder.rglob("*") if path.is_file()]


def open_files():
    return len(list(Path("/proc/self/fd").iterdir()))


def is_unavailable(error, reason=""):
    return error.value.code == Code.storage_unavailable and reason in error.value.detail


@pytest.fixture
def local(request, plain, sealed):
    """Both kinds in turn."""
    return {"plain": plain, "sealed": sealed}[request.param]


both = pytest.mark.parametrize("local", ["plain", "sealed"], indirect=True)


def test_sec_46_files_are_for_the_owner_alone(plain, folder):
    """Whatever umask the service was started with."""
    before = os.umask(0)
    try:
        plain.put(KEY, [TEXT])
        plain.copy(KEY, "files/twin")
    finally:
        os.umask(before)
    modes = {path.is_dir(): stat.S_IMODE(path.stat().st_mode) for path in folder.rglob("*")}
    assert modes == {True: 0o700, False: 0o600}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_file_is_below_two_levels_of_folders(plain, folder):
    plain.put(KEY, [TEXT])
    [path] = files_in(folder)
    first, second, name = path.relative_to(folder / "objects").parts
    assert (len(first), len(second), name) == (2, 2, "files=reef=original")
    assert folder / plain.served_path(KEY) == path


def test_a_copy_takes_no_room(plain, folder):
    plain.put(KEY, [TEXT])
    plain.copy(KEY, "files/twin")
    assert len({path.stat().st_ino for path in files_in(folder)}) == 1


def test_a_copy_where_there_are_no_links(plain, monkeypatch):
    def no_links(*_args, **_options):
        raise PermissionError

    monkeypatch.setattr(os, "link", no_links)
    plain.put(KEY, [TEXT])
    plain.copy(KEY, "files/twin")
    assert b"".join(plain.read("files/twin")) == TEXT


def test_sec_46_a_link_is_not_followed(plain, folder, tmp_path):
    """Whoever got a link into the folder gets nothing of what it points to."""
    secret = tmp_path / "secret"
    secret.write_bytes(b"keys")
    plain.put(KEY, [TEXT])
    [path] = files_in(folder)
    path.unlink()
    path.symlink_to(secret)
    with pytest.raises(AppError) as error:
        plain.read(KEY)
    assert is_unavailable(error)
    assert list(plain.objects()) == []


def test_what_is_no_object_is_not_listed(plain, folder):
    plain.put(KEY, [TEXT])
    [path] = files_in(folder)
    for stray in (folder / "objects" / "note.txt", path.with_name("Note"), path.with_name(".hidden")):
        stray.write_text("not ours")
    path.with_name("files=folder").mkdir()
    assert [facts.key for facts in plain.objects()] == [KEY]


def test_a_folder_in_the_place_of_an_object(plain, folder):
    plain.put(KEY, [TEXT])
    [path] = files_in(folder)
    path.unlink()
    path.mkdir()
    with pytest.raises(DamagedObjectError):
        plain.read(KEY)
    assert plain.served_path(KEY) is None


def test_a_reader_that_stops_leaves_nothing_open(plain):
    before = open_files()
    plain.put(KEY, [bytes(2**20)])
    next(plain.read(KEY))
    plain.read(KEY)
    with pytest.raises(ObjectMissingError):
        plain.read("files/none")
    assert open_files() == before


def test_a_file_that_shrinks_while_it_is_read(plain, folder):
    plain.put(KEY, [bytes(2**20)])
    pieces = plain.read(KEY)
    next(pieces)
    os.truncate(files_in(folder)[0], 300_000)
    with pytest.raises(DamagedObjectError):
        list(pieces)


def test_names_in_order_with_little_in_memory():
    names = [f"files/{number * 7919 % 1000}" for number in range(1000)]
    assert list(in_order(names, at_once=64)) == sorted(names)
    assert list(in_order(["b", "a", "a-b", "a/b"], at_once=2)) == ["a", "a-b", "a/b", "b"]


@both
def test_many_store_under_one_key_at_once(local, folder):
    """Several threads, and processes do no more: each reader sees one of the contents, whole."""
    contents = [bytes([number]) * 200_000 for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda content: local.put(KEY, [content]), contents * 4))
        seen = pool.map(lambda _n: b"".join(local.read(KEY)), range(20))
        assert all(content in contents for content in seen)
    assert len(files_in(folder)) == 1


KILLED = """
import base64, os, signal, sys
from pathlib import Path
from app.core.storage.local import LocalStore
from tests.core.storage.conftest import OLD, sealing
def pieces():
    yield bytes(3_000_000)
    os.kill(os.getpid(), signal.SIGKILL)
store = LocalStore(Path(sys.argv[1]), sealing(OLD) if sys.argv[2] == "sealed" else None)
store.put("files/reef/original", pieces())
"""


@pytest.mark.parametrize("kind", ["plain", "sealed"])
def test_d14_killed_while_storing(request, folder, kind):
    """kill -9 in the middle: nothing is visible, what was there before still is, and the rest can be swept."""
    store = request.getfixturevalue(kind)
    store.put("files/before", [TEXT])
    killed = subprocess.run([sys.executable, "-c", KILLED, str(folder), kind], cwd=ROOT, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert store.facts(KEY) is None
    assert [facts.key for facts in store.objects()] == ["files/before"]
    assert len(files_in(folder)) == 2
    assert store.sweep_unfinished(datetime(2000, 1, 1, tzinfo=UTC)) == 0, "it may still be written"
    assert store.sweep_unfinished(SOON) == 1
    assert len(files_in(folder)) == 1
    assert b"".join(store.read("files/before")) == TEXT


LIMITED = """
import resource, sys
from pathlib import Path
from app.core.errors import AppError
from app.core.storage.local import LocalStore
resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))
try:
    LocalStore(Path(sys.argv[1])).put("files/reef/original", [bytes(600_000)] * 3)
except AppError as error:
    print(error.code, error.retry_after, error.detail)
"""


def test_d14_no_more_room_for_the_file(plain, folder):
    """A limit of the system stands for the full disk; it says so in the middle of a write."""
    plain.put("files/before", [TEXT])
    limited = subprocess.run(
        [sys.executable, "-c", LIMITED, str(folder)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert limited.stdout == "storage_unavailable 30 The file storage is full. Try again later.\n"
    assert len(files_in(folder)) == 1


@pytest.fixture
def tiny_disk(tmp_path):
    """A file system of 1 MiB, where we may make one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("this user may not mount")
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_d14_a_full_disk(tiny_disk):
    store = LocalStore(tiny_disk / "storage")
    store.put("files/before", [TEXT])
    with pytest.raises(AppError) as error:
        store.put(KEY, [bytes(400_000)] * 5)
    assert is_unavailable(error, "is full")
    assert len(files_in(tiny_disk)) == 1
    room = os.statvfs(tiny_disk)
    (tiny_disk / "of-others").write_bytes(bytes(room.f_bavail * room.f_frsize))
    with pytest.raises(AppError) as error:
        store.put(KEY, [TEXT])
    assert is_unavailable(error, "is full")
    with pytest.raises(AppError) as error:
        store.check()
    assert is_unavailable(error, "is full")
    assert b"".join(store.read("files/before")) == TEXT


@pytest.mark.parametrize("what", ["put", "check", "objects"])
def test_d14_a_folder_that_cannot_be(tmp_path, what):
    blocked = tmp_path / "blocked"
    blocked.write_text("a file where the folder should be")
    store = LocalStore(blocked / "storage")
    with pytest.raises(AppError) as error:
        {
            "put": lambda: store.put(KEY, [TEXT]),
            "check": store.check,
            "objects": lambda: list(store.objects()),
        }[what]()
    assert is_unavailable(error)


def test_content_that_looks_like_a_sealed_object_comes_back_as_it_is(plain, sealed):
    """Nobody can upload what would be taken for a sealed object, or for a form of tomorrow."""
    for content in (MAGIC, MAGIC + b"\0", MAGIC + b"\1" + bytes(200), MAGIC + b"\7" + TEXT, MAGIC[:5]):
        for store in (plain, sealed):
            store.put(KEY, [content[:3], content[3:]])
            for reader in (plain, sealed) if store is plain else (sealed,):
                assert b"".join(reader.read(KEY)) == content
                assert b"".join(reader.read(KEY, 2, 20)) == content[2:22]
                assert reader.facts(KEY).size == len(content)
    plain.put(KEY, [MAGIC + TEXT])
    assert plain.served_path(KEY) is None, "a web server would send the header as well"


def test_what_others_meant_by_an_error_is_not_taken_for_ours(plain):
    """An error of the content's source goes on as it is, although it may be one of the system."""

    def gone():
        yield TEXT
        raise BrokenPipeError("the client")

    with pytest.raises(BrokenPipeError, match="the client"):
        plain.put(KEY, gone())
