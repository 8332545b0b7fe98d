"""What is refused of uploads that go straight to the storage, and what they are besides."""

from urllib.parse import urlsplit

import pytest

from tests.fixtures.direct import TEXT, announced, begins, completes, get, sends
from tests.fixtures.s3 import bucket_at, closes
from tests.fixtures.tus import Tus


@pytest.mark.parametrize(
    ("name", "content", "content_type"),
    [
        ("reef.html", b"<p>reef", "text/html"),
        ("reef.svg", b"<svg/>", "image/svg+xml"),
        ("reef.exe", b"MZ", "text/plain"),
    ],
)
def test_sec_46_a_type_that_is_never_taken_is_refused_by_its_name(
    alice, uploads, rows, name, content, content_type
):
    answer = alice.post(uploads, json=announced(content, name, content_type))
    assert (answer.status_code, answer.json["code"]) == (415, "file_type_not_allowed")
    assert rows("uploads") == 0


@pytest.mark.parametrize(("name", "content_type"), [("reef.png", "image/png"), ("reef.txt", "image/png")])
def test_sec_46_content_that_is_not_what_was_announced_comes_to_nothing(
    alice, reef, uploads, rows, room, stored, sweep, name, content_type
):
    started = begins(alice, uploads, TEXT, name=name, content_type=content_type)
    assert sends(started, TEXT) == 200
    answer = completes(alice, uploads, started)
    assert (answer.status_code, answer.json["code"]) == (415, "file_type_not_allowed")
    sweep()
    assert (rows("files"), rows("uploads"), room(reef), stored()) == (0, 0, (0, 0, 0), set())


def test_who_may(alice, bob, charlie, reef, uploads, joins):
    joins(bob, reef, "viewer")
    started = begins(alice, uploads)
    sends(started, TEXT)
    assert bob.post(uploads, json=announced()).status_code == 403
    assert charlie.post(uploads, json=announced()).status_code == 404
    for person in (bob, charlie):
        assert completes(person, uploads, started).status_code == 404
    other = alice.creates("Kelp forest")
    assert completes(alice, f"/projects/{other.id}/uploads", started).status_code == 404  # SEC-40
    assert (
        completes(alice, uploads, {"upload_id": Tus(alice, reef).begins(5).rpartition("/")[2]}).status_code
        == 404
    )
    assert completes(alice, uploads, started).status_code == 201


@pytest.mark.parametrize(
    "change",
    [
        {"size": 0},
        {"size": -1},
        {"sha256": "5C" * 32},
        {"sha256": "5c" * 31},
        {"content_type": "a\r\nb"},
        {"name": ""},
    ],
)
def test_a_faulty_announcement_is_refused(alice, uploads, rows, change):
    assert alice.post(uploads, json=announced(**change)).status_code == 422
    assert rows("uploads") == 0


def test_too_large_is_refused_before_it_is_sent(alice, uploads, parts):
    answer = alice.post(uploads, json=announced(size=parts.settings.upload_max_bytes + 1))
    assert (answer.status_code, answer.json["code"]) == (413, "file_too_large")


def test_d14_a_storage_that_is_away_costs_nothing(alice, uploads, parts, monkeypatch, s3_endpoint, rows):
    started = begins(alice, uploads)
    sends(started, TEXT)
    nowhere = bucket_at("http://127.0.0.1:9", bucket=parts.engines.store._bucket)
    with monkeypatch.context() as patch:
        patch.setattr(parts.engines.store, "_clients", nowhere._clients)
        assert completes(alice, uploads, started).status_code == 503
    closes(nowhere)
    assert rows("files") == 0
    assert completes(alice, uploads, started).status_code == 201


def test_the_storage_hands_the_content_out_itself_where_that_is_asked_for(alice, reef, uploads):
    started = begins(alice, uploads, TEXT, name="kelp é.txt")
    sends(started, TEXT)
    file = completes(alice, uploads, started).json
    path = f"/projects/{reef.id}/files/{file['id']}/content"
    assert alice.get(path).get_data() == TEXT
    own = urlsplit(file["content_url"])
    for address, sent in ((f"{path}?redirect=true", {}), (f"/{own.path}?{own.query}", {"Authorization": ""})):
        answer = alice.get(address, headers=sent)
        assert answer.status_code == 302
        status, headers, content = get(answer.headers["Location"])
        assert (status, content) == (200, TEXT)
        assert headers["Content-Disposition"].startswith("attachment;")
        assert "filename*=UTF-8''kelp%20%C3%A9.txt" in headers["Content-Disposition"]


def test_forms_and_resumable_uploads_work_on_it_too(alice, reef, stored, sweep, small_segments, room):
    small_segments(2000)
    answer = alice.uploads(reef, content=TEXT)
    assert answer.status_code == 201, answer.json
    tus = Tus(alice, reef)
    path = tus.begins(5000)
    tus.append(path, 0, TEXT[:3000])
    tus.append(path, 3000, TEXT[3000:])
    for file in (answer.json["id"], tus.file_of(path)):
        assert alice.get(f"/projects/{reef.id}/files/{file}/content").get_data() == TEXT
    sweep()
    assert len(stored()) == 2
    assert room(reef) == (2, 10_000, 0)
