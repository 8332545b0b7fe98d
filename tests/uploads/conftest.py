"""Alice's project, ways to send files to it, and ways to look whether anything was left behind."""

import hashlib

import pytest

from app.core.objects import Objects
from app.uploads.resumable import Resumable
from app.uploads.service import UploadService
from tests.fixtures.projects import in_state, joins, projects  # noqa: F401 - fixtures
from tests.fixtures.tus import Tus

KNOWN = """
SELECT object_key FROM files UNION SELECT object_key FROM file_previews UNION SELECT object_key FROM upload_segments
UNION SELECT object_key FROM doomed_objects"""

COUNTED = """
SELECT coalesce(s.files, 0), coalesce(s.bytes, 0), coalesce(s.reserved, 0),
    (SELECT count(*) FROM files f WHERE f.project_id = p.id AND f.deleted_at IS NULL),
    (SELECT coalesce(sum(size), 0) FROM files f WHERE f.project_id = p.id),
    (SELECT coalesce(sum(reserved), 0) FROM uploads u WHERE u.project_id = p.id)
FROM projects p LEFT JOIN project_storage s ON s.project_id = p.id"""


@pytest.fixture
def reef(alice):
    return alice.creates("Reef survey")


@pytest.fixture
def tus(alice, reef):
    """Alice's uploads to her project."""
    return Tus(alice, reef)


@pytest.fixture
def small_segments(parts, monkeypatch):
    """``small_segments(1000)``: segments of so many bytes, so that a small file has several."""

    def make(size):
        monkeypatch.setattr(parts.services[Resumable], "_segment", size)

    return make


@pytest.fixture
def sweep(parts):
    """What the worker does each minute."""

    def run():
        parts.services[UploadService].sweep()
        parts.services[Objects].sweep()

    return run


@pytest.fixture
def room(sql):
    """What a project's counters say: files, bytes, bytes reserved."""

    def read(project):
        found = sql(
            "SELECT files, bytes, reserved FROM project_storage WHERE project_id = %s", (str(project.id),)
        )
        return found[0] if found else (0, 0, 0)

    return read


@pytest.fixture
def stored(parts):
    """The keys of all objects there are."""
    return lambda: {found.key for found in parts.engines.store.objects()}


@pytest.fixture
def unknown_objects(sql, stored):
    """Objects that no row knows of: nobody would ever remove them (D14)."""
    return lambda: stored() - {key for (key,) in sql(KNOWN)}


@pytest.fixture
def rows(sql):
    """How many rows there are: ``rows("files")``."""
    return lambda table: sql(f"SELECT count(*) FROM {table}")[0][0]


@pytest.fixture
def counts_are_right(sql):
    """Whether what each project's counters say is what its rows add up to."""
    return lambda: all(row[:3] == row[3:] for row in sql(COUNTED))


@pytest.fixture
def is_sound(sql, parts, unknown_objects, counts_are_right):
    """Every file is whole, every count is right, every object is known."""

    def check():
        for size, sha256, key in sql("SELECT size, sha256, object_key FROM files"):
            kept = b"".join(parts.engines.store.read(key))
            assert (len(kept), hashlib.sha256(kept).digest()) == (size, bytes(sha256))
        assert counts_are_right()
        assert unknown_objects() == set()

    return check
