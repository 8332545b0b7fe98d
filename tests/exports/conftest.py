"""Fixtures of this area's tests."""

import io
import json
import zipfile

import pytest

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


def unpacked(data):
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        files = {name: archive.read(name) for name in archive.namelist()}
    return {
        name: json.loads(data) if name.endswith(".json") else data.decode() for name, data in files.items()
    }
