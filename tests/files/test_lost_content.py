"""What a row knows of and the storage has not: the answer is clean, and never looks like the file (D14)."""

import pytest

from app.core.storage.interface import DamagedObjectError
from app.files.contents import Content
from tests.fixtures.accounts import code_of
from tests.fixtures.pictures import saved, upright

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
    for somebody, place in ((alice, at), (anonymous, address)):
        told = somebody.open("HEAD", place, headers=headers)
        assert (told.status_code, told.headers["Content-Type"]) == (503, "application/problem+json")


@pytest.mark.parametrize("now", [TEXT[:100], TEXT + b"!"], ids=["shorter", "longer"])
def test_d14_an_object_of_another_length_is_unavailable(alice, parts, at, key, now):
    """A client that was told a length would wait for the rest, or take the next answer for it."""
    parts.engines.store.put(key, [now])
    assert code_of(alice.get(at)) == (503, "storage_unavailable")
    assert alice.open("HEAD", at).status_code == 503


@pytest.mark.parametrize("now", [None, TEXT[:100]], ids=["nothing", "shorter"])
def test_d14_a_server_in_front_is_not_sent_there_either(alice, make_app, parts, at, key, now):
    """It would send what is there, under the name and the tag of what was stored."""
    other = alice.signs_in_again(make_app(accel_redirect="/objects/"))
    assert "X-Accel-Redirect" in other.get(at).headers
    parts.engines.store.delete(key)
    if now:
        parts.engines.store.put(key, [now])
    assert code_of(other.get(at)) == (503, "storage_unavailable")


def test_d14_so_is_a_lost_thumbnail(alice, reef, parts, run_jobs, sql):
    picture = alice.uploads(reef, "reef.png", saved(upright(400, 300), "PNG")).json
    run_jobs()
    place = f"/projects/{reef.id}/files/{picture['id']}/thumbnail"
    assert alice.open("HEAD", place).status_code == 200
    for (lost,) in sql("SELECT object_key FROM file_previews"):
        parts.engines.store.delete(lost)
    assert code_of(alice.get(place)) == (503, "storage_unavailable")
    assert alice.open("HEAD", place).status_code == 503


def test_d14_content_that_ends_too_early_is_an_error_and_no_end(parts, key):
    """The connection ends with it, where the storage has no file that could be measured before."""
    parts.engines.store.put(key, [TEXT[:100]])
    content = Content(parts.engines.store, key, len(TEXT), "", "", "", "text/plain", in_place=False)
    with pytest.raises(DamagedObjectError):
        b"".join(content.read(0, len(TEXT)))
    assert b"".join(content.read(0, 100)) == TEXT[:100]
