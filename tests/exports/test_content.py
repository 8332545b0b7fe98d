"""What is in a copy, and what is not."""

import hashlib
import json
import zipfile
from datetime import UTC, datetime
from html.parser import HTMLParser

from app.exports.archive import PIECE, SHOWN, Archive
from tests.fixtures.passkeys import has_passkey

FILES = {
    "account.json", "sessions.json", "projects.json", "memberships.json", "activity.json", "api_tokens.json", "passkeys.json",
    "invitations.json", "files.json",
    "index.html", "manifest.json",
}  # fmt: skip
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def test_everything_of_a_person_is_in_it(alice, bob, joins, script, gets, sql):
    script(alice, "read")
    has_passkey(alice)
    own, theirs = alice.creates("Reef survey", "What grows where."), bob.creates("Bob's bay")
    bob.creates("Bob's secret")
    joins(alice, theirs, "viewer")
    files = gets(alice)
    assert set(files) == FILES
    [account] = files["account.json"]["items"]
    assert (account["id"], account["email"]) == (str(alice.user.id), alice.email)
    assert account["created_at"] == alice.get("/me").json["created_at"]
    assert [each["id"] for each in files["sessions.json"]["items"]] == [str(alice.session_id)]
    [project] = files["projects.json"]["items"]
    assert (project["id"], project["description"]) == (str(own.id), "What grows where.")
    [membership] = files["memberships.json"]["items"]
    assert (membership["project_id"], membership["role"]) == (str(theirs.id), "viewer")
    assert [each["kind"] for each in files["activity.json"]["items"]] == [
        "api_token.created",
        "passkey.added",
        "export.requested",
    ]
    assert [each["name"] for each in files["api_tokens.json"]["items"]] == ["Nightly report"]
    [passkey] = files["passkeys.json"]["items"]
    assert passkey["name"] == alice.get("/me/passkeys").json["items"][0]["name"]


def test_sec_57_no_secret_and_nobody_else_is_in_it(alice, bob, joins, script, gets, sql):
    client = script(alice, "read")
    joins(alice, bob.creates("Bob's bay"), "viewer")
    text = json.dumps(gets(alice))
    [(digest,)] = sql("SELECT encode(digest, 'hex') FROM api_tokens")
    [(password_hash,)] = sql("SELECT password_hash FROM users WHERE id = %s", (str(alice.user.id),))
    [(mac_key,)] = sql(
        "SELECT encode(mac_key, 'hex') FROM sessions WHERE user_id = %s", (str(alice.user.id),)
    )
    assert not [each for each in (client.token, digest, password_hash, mac_key) if each in text]
    assert bob.email not in text
    assert str(bob.user.id) not in text


def test_the_trash_of_others_is_not_hers(alice, bob, joins, gets):
    theirs = bob.creates("Bob's bay")
    joins(alice, theirs, "editor")
    bob.delete(f"/projects/{theirs.id}")
    mine = alice.creates("Mine")
    alice.delete(f"/projects/{mine.id}")
    files = gets(alice)
    assert files["memberships.json"]["items"] == []
    assert [each["status"] for each in files["projects.json"]["items"]] == ["deleted"]


def test_the_manifest_has_the_checksum_of_each_file(tmp_path, alice, asks, do_jobs):
    export = asks(alice)
    do_jobs()
    path = tmp_path / "export.zip"
    path.write_bytes(alice.get(f"/me/exports/{export['id']}/content").get_data())
    with zipfile.ZipFile(path) as archive:
        told = json.loads(archive.read("manifest.json"))["files"]
        assert set(told) == FILES - {"manifest.json"}
        for name, entry in told.items():
            data = archive.read(name)
            assert (entry["size"], entry["sha256"]) == (len(data), hashlib.sha256(data).hexdigest())


class Tags(HTMLParser):
    def __init__(self, html):
        super().__init__()
        self.found, self.links = set(), []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.found.add(tag)
        self.links += [value for name, value in attrs if name in {"href", "src", "action"}]


def test_the_page_loads_nothing_and_runs_nothing(alice, gets):
    hostile = "<script>alert(1)</script><img src=https://evil.example>"
    alice.patch("/me", json={"display_name": hostile})
    alice.creates(hostile, "{{ 7 * 7 }}")
    page = gets(alice)["index.html"]
    tags = Tags(page)
    assert not tags.found & {"script", "img", "link", "iframe", "form", "object"}
    assert set(tags.links) == {name for name in FILES if name.endswith(".json")} - {"manifest.json"}
    assert "&lt;script&gt;" in page
    assert "{{ 7 * 7 }}" in page
    assert "default-src 'none'" in page


def test_many_projects_are_read_in_batches_and_the_page_shows_the_first(alice, plant, gets, statements):
    plant(alice, [f"Project {number}" for number in range(1_203)])
    with statements() as sent:
        files = gets(alice)
    items = files["projects.json"]["items"]
    assert len({each["id"] for each in items}) == 1_203
    assert sent.count("SELECT projects") == 2 * 3
    assert files["index.html"].count("<td>Project ") == SHOWN
    assert "1203 entries" in files["index.html"]


def test_a_zip_is_made_while_it_is_read(tmp_path):
    """A hundred thousand rows, of which no more than a piece or two wait at a time."""
    archive, sizes = Archive(NOW, "Holdfast"), []
    rows = ({"n": n, "digest": hashlib.sha256(b"%d" % n).hexdigest()} for n in range(100_000))
    path = tmp_path / "made.zip"
    with path.open("wb") as file:
        for piece in archive.add("Numbers", "numbers.json", rows):
            file.write(piece)
            sizes.append(len(piece))
            assert len(archive._outlet._waiting) < PIECE
        for piece in archive.close():
            file.write(piece)
    assert set(sizes) == {PIECE}
    with zipfile.ZipFile(path) as made:
        assert made.testzip() is None
        assert len(json.loads(made.read("numbers.json"))["items"]) == 100_000


def test_an_empty_file_is_sound(tmp_path):
    archive, path = Archive(NOW, "Kelp & Co"), tmp_path / "made.zip"
    path.write_bytes(b"".join([*archive.add("Nothing", "nothing.json", []), *archive.close()]))
    with zipfile.ZipFile(path) as made:
        assert made.testzip() is None
        assert json.loads(made.read("nothing.json")) == {"items": []}
