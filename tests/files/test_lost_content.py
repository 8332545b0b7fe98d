"""What a row knows of and the storage has not: the answer is clean, and never looks like the file (D14)."""

import pytest

from app.core.storage.interface import DamagedObjectError
from app.files.contents import Content
from tests.fixtures.accounts import code_of

TEXT = b"urchins " * 1_000


@pytest.fixture
def file(alice, reef):
    return alice.uploads(reef, "urchins.txt", TEXT).json


@pytest.fixture
def at(reef, file):
    return f"/projects/{reef.id}/files/{file['id']}/content"


@pytest.fixture
def key(sql, file):
    return sql("SELECT object_key FROM files WHERE id = %s", (file["id"],))[0][0]


@pytest.mark.parametrize("headers", [{}, {"Range": "bytes=0-7"}], ids=["whole", "part"])
def test_d14_an_object_that_somebody_removed_is_unavailable(alice, anonymous, parts, at, key, file, headers):
    """Not gone: a backup brings it back."""
    parts.engines.store.delete(key)
    answer = alice.get(at, headers=headers)
    assert code_of(answer) == (503, "storage_unavailable")
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Content-Disposition" not in answer.headers
    address = file["content_url"].split("/api/v1")[1]
    assert code_of(anonymous.get(address, headers=headers)) == (503, "storage_unavailable")


@pytest.mark.parametrize("now", [TEXT[:100], TEXT + b"!"], ids=["shorter", "longer"])
def test_d14_an_object_of_another_length_is_unavailable(alice, parts, at, key, now):
    """A client that was told a length would wait for the rest, or take the next answer for it."""
    parts.engines.store.put(key, [now])
    assert code_of(alice.get(at)) == (503, "storage_unavailable")


def test_d14_content_that_ends_too_early_is_an_error_and_no_end(parts, key):
    """The connection ends with it, where the storage has no file that could be measured before."""
    parts.engines.store.put(key, [TEXT[:100]])
    content = Content(parts.engines.store, key, len(TEXT), "", "", "", "text/plain", in_place=False)
    with pytest.raises(DamagedObjectError):
        b"".join(content.read(0, len(TEXT)))
    assert b"".join(content.read(0, 100)) == TEXT[:100]
