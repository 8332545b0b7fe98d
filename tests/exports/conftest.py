"""Fixtures of this area's tests."""

import hashlib
import io
import json
import zipfile

import pytest

from app.core.ids import new_id
from app.exports.contents import PART
from app.files.models import File
from app.files.repository import FileRepository
from app.inventory import Inventory
from tests.fixtures.api_tokens import script
from tests.fixtures.letters import do_jobs, letters
from tests.fixtures.log_lines import log_lines
from tests.fixtures.projects import joins, plant
from tests.fixtures.statements import statements

__all__ = ["do_jobs", "joins", "letters", "log_lines", "plant", "script", "statements"]


@pytest.fixture
def asks():
    """``asks(alice)``: she asks for a copy; the answer's body."""

    def ask(person, **options):
        answer = person.post("/me/exports", **options)
        assert answer.status_code == 202
        return answer.json

    return ask


@pytest.fixture
def gets(asks, do_jobs):
    """``gets(alice)``: a copy, made and downloaded; its files by name."""

    def get(person):
        export = asks(person)
        do_jobs()
        answer = person.get(f"/me/exports/{export['id']}/content")
        assert answer.status_code == 200
        return unpacked(answer.get_data())

    return get


@pytest.fixture
def keeps(parts):
    """``keeps(alice, project, "a.txt", b"...")``: a file that she uploaded there; other columns by their names."""
    rows = FileRepository(parts.uow)

    def keep(person, project, name="a.txt", content=b"north wall", **columns):
        now = parts.clock.now()
        pieces = [content] if isinstance(content, bytes) else content
        key = f"files/{new_id().hex}"
        stored = parts.engines.store.put(key, pieces)
        usual = {
            "content_type": "text/plain", "state": "ready", "failure_code": None, "created_at": now, "updated_at": now,
            "deleted_at": None, "uploaded_by": person.user.id,
        }  # fmt: skip
        with parts.uow:
            return rows.add(
                File(
                    id=new_id(), project_id=project.id, name=name, size=stored.size, sha256=stored.sha256,
                    object_key=key, **usual | columns,
                )
            )  # fmt: skip

    return keep


@pytest.fixture
def in_parts(owner_connection, parts):
    """``in_parts(alice, b"...")``: a copy that the version before made; its address."""

    def put(person, content):
        now, export_id = parts.clock.now(), str(new_id())
        pieces = [content[at : at + PART] for at in range(0, len(content), PART)]
        with owner_connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO exports (id, user_id, state, attempts, size, parts, sha256, created_at, ready_at, expires_at)"
                " VALUES (%s, %s, 'ready', 1, %s, %s, %s, %s, %s, %s + interval '7 days')",
                (export_id, str(person.user.id), len(content), len(pieces), hashlib.sha256(content).digest(), now, now, now),
            )  # fmt: skip
            for number, piece in enumerate(pieces):
                cursor.execute(
                    "INSERT INTO export_parts (export_id, run, number, data) VALUES (%s, 1, %s, %s)",
                    (export_id, number, piece),
                )
        return f"/me/exports/{export_id}/content"

    return put


@pytest.fixture
def unknown(parts, sql):
    """Objects of the storage that no row names, neither one of a feature nor one of what is swept."""

    def find():
        known = {key for key, _, _ in Inventory(parts.uow).expected()}
        doomed = {row[0] for row in sql("SELECT object_key FROM doomed_objects")}
        return {stored.key for stored in parts.engines.store.objects()} - known - doomed

    return find


def unpacked(data):
    """Files of a copy by name: JSON as what it says, the page as text, the rest as bytes."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        files = {name: archive.read(name) for name in archive.namelist()}
    return {name: data if name.startswith("files/") else _told(name, data) for name, data in files.items()}


def _told(name, data):
    return json.loads(data) if name.endswith(".json") else data.decode()
