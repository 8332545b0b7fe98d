"""A file comes in by a form: who may send one, what becomes of it, and what repeating does."""

import hashlib

import pytest

from tests.fixtures.accounts import code_of
from tests.fixtures.forms import FORM, TEXT, chunked, form, part
from tests.fixtures.pictures import see_through

KEY = {"Idempotency-Key": "the-first-try"}
EXPECTED = {
    "anonymous": (401, "not_authenticated"), "stranger": (404, "not_found"), "viewer": (403, "forbidden"),
    "editor": (201, None), "admin": (201, None), "owner": (201, None),
}  # fmt: skip


@pytest.mark.parametrize("who", EXPECTED)
def test_who_may_upload(people, reef, nothing_left, who):
    person = people[who]
    answer = person.post(f"/projects/{reef.id}/files", data=form(part()), content_type=FORM)
    assert code_of(answer) == EXPECTED[who]
    assert answer.status_code == 201 or nothing_left()


def test_an_uploaded_file_is_what_was_sent(alice, reef, counted):
    answer = alice.uploads(reef, "Reef notes.txt", TEXT)
    assert answer.status_code == 201
    file = answer.json
    assert answer.headers["Location"] == f"/api/v1/projects/{reef.id}/files/{file['id']}"
    assert {name: file[name] for name in ("project_id", "name", "content_type", "size", "state", "version")} == {
        "project_id": str(reef.id), "name": "Reef notes.txt", "content_type": "text/plain", "size": len(TEXT),
        "state": "ready", "version": 1,
    }  # fmt: skip
    assert file["sha256"] == hashlib.sha256(TEXT).hexdigest()
    assert file["uploaded_by"] == str(alice.user.id)
    assert (file["failure_code"], file["thumbnail_url"], file["deleted_at"]) == (None, None, None)
    assert alice.get(f"/projects/{reef.id}/files/{file['id']}").json == file
    assert alice.get(f"/projects/{reef.id}/files/{file['id']}/content").get_data() == TEXT
    assert counted(reef) == (1, len(TEXT), 0)


def test_a_picture_waits_for_its_previews(alice, reef):
    file = alice.uploads(reef, "reef.png", see_through()).json
    assert (file["content_type"], file["state"], file["thumbnail_url"]) == ("image/png", "processing", None)
    assert file["content_url"], "nothing scans here: it can be downloaded at once"


def test_the_project_counts_it(alice, bob, reef, joins):
    joins(bob, reef, "editor")
    alice.uploads(reef, "one.txt", b"one")
    bob.uploads(reef, "two.txt", b"two two")
    counts = alice.get(f"/projects/{reef.id}?expand=counts").json["counts"]
    assert counts == {"members": 2, "files": 2, "storage_bytes": 10}


def test_the_activity_tells_it(alice, bob, reef, joins):
    joins(bob, reef, "editor")
    file = bob.uploads(reef, "urchins.txt").json
    newest = alice.get(f"/projects/{reef.id}/activity").json["items"][0]
    assert (newest["kind"], newest["actor"]["id"]) == ("file.uploaded", str(bob.user.id))
    assert newest["changes"] == {"name": {"before": None, "after": "urchins.txt"}}
    assert newest["object"]["id"] == file["id"]


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("../../etc/passwd.txt", "passwd.txt"),
        ("C:\\\\Users\\\\Alice\\\\reef.txt", "reef.txt"),
        ("re\x1bef\u202etxt.txt", "reeftxt.txt"),
        ("  reef.txt. ", "reef.txt"),
        ("Ka\u0308se \U0001f419.txt", "K\xe4se \U0001f419.txt"),
        ("con.txt", "_con.txt"),
        ("a" * 300 + ".txt", "a" * 251 + ".txt"),
    ],
)
def test_names_are_cleaned(alice, reef, sent, kept):
    """SEC-46: no folders, nothing that cannot be seen, nothing that turns the direction of reading."""
    answer = alice.post(f"/projects/{reef.id}/files", data=form(part(filename=sent)), content_type=FORM)
    assert (answer.status_code, answer.json["name"]) == (201, kept)


def test_two_files_may_have_one_name(alice, reef, counted):
    one, two = alice.uploads(reef), alice.uploads(reef)
    assert one.json["id"] != two.json["id"]
    assert counted(reef)[0] == 2


def test_what_is_stored_lies_under_a_name_that_tells_nothing(alice, reef, stored):
    """SEC-46: neither the name nor an id of it."""
    file = alice.uploads(reef, "secret.txt").json
    [key] = stored()
    assert key.startswith("files/")
    assert len(key) == len("files/") + 32
    assert not any(
        told in key for told in ("secret", file["id"], file["id"].replace("-", ""), file["sha256"])
    )


@pytest.mark.parametrize("size", [1, 100_000, 600_000])
def test_a_body_without_a_length_will_do(alice, reef, counted, size):
    content = b"kelp " * (size // 5) + b"." * (size % 5)
    answer = alice.post(f"/projects/{reef.id}/files", **chunked(form(part(content))))
    assert (answer.status_code, answer.json["size"]) == (201, size)
    assert alice.get(f"/projects/{reef.id}/files/{answer.json['id']}/content").get_data() == content
    assert counted(reef) == (1, size, 0)


def test_the_other_fields_of_a_part_do_not_matter(alice, reef):
    head = b'--kelp\r\nX-Kelp: 1\r\nContent-Disposition: form-data; filename="a.txt"; name="file"\r\n\r\n'
    answer = alice.post(f"/projects/{reef.id}/files", data=form(head + b"kelp\r\n"), content_type=FORM)
    assert (answer.status_code, answer.json["name"], answer.json["content_type"]) == (
        201,
        "a.txt",
        "text/plain",
    )


def test_repeating_with_a_key_is_uploading_once(alice, reef, stored, sql):
    """SEC-50: the answer is the first one's, and what came twice is kept once."""
    first = alice.uploads(reef, headers=KEY)
    second = alice.uploads(reef, headers=KEY)
    assert (first.status_code, second.status_code) == (201, 201)
    assert second.headers["Idempotency-Replayed"] == "true"
    assert second.get_data() == first.get_data()
    assert second.headers["Location"] == first.headers["Location"]
    assert len(stored()) == 1
    assert sql("SELECT count(*) FROM files") == [(1,)]
    assert sql("SELECT count(*) FROM uploads WHERE file_id IS NULL") == [(0,)]


@pytest.mark.parametrize("other", [("reef.txt", b"Other kelp.\n"), ("other.txt", TEXT), ("reef.md", TEXT)])
def test_a_key_stands_for_one_content_and_name(alice, reef, stored, counted, other):
    assert alice.uploads(reef, "reef.txt", TEXT, headers=KEY).status_code == 201
    assert code_of(alice.uploads(reef, *other, headers=KEY)) == (422, "idempotency_key_reused")
    assert len(stored()) == 1
    assert counted(reef) == (1, len(TEXT), 0)


def test_another_boundary_is_the_same_content(alice, reef, sql):
    """A client makes a new one for each try."""
    for boundary in (b"kelp", b"urchin"):
        body = form(part()).replace(b"--kelp", b"--" + boundary)
        answer = alice.post(
            f"/projects/{reef.id}/files", data=body, headers=KEY,
            content_type=f"multipart/form-data; boundary={boundary.decode()}",
        )  # fmt: skip
        assert answer.status_code == 201
    assert sql("SELECT count(*) FROM files") == [(1,)]


def test_a_refused_upload_frees_its_key(alice, reef, nothing_left):
    assert code_of(alice.uploads(reef, "a.exe", b"MZ", headers=KEY)) == (415, "file_type_not_allowed")
    assert nothing_left()
    assert alice.uploads(reef, headers=KEY).status_code == 201


def test_ten_at_once_with_one_key_are_one_file(alice, reef, at_once, sql, stored, counted):
    """SEC-50: the others get the same answer, or are told to ask again."""
    tries = [alice.signs_in_again() for _ in range(10)]
    answers = at_once(10, lambda number: tries[number].uploads(reef, headers=KEY))
    made = [answer for answer in answers if answer.status_code == 201]
    assert {code_of(answer) for answer in answers} <= {(201, None), (409, "request_in_progress")}
    assert len({answer.get_data() for answer in made}) == 1
    assert len(stored()) == 1
    assert counted(reef) == (1, len(TEXT), 0)
    assert sql("SELECT count(*) FROM uploads WHERE file_id IS NULL") == [(0,)]
