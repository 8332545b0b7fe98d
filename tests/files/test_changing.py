"""Files are renamed, put into the trash and taken out again."""

import pytest

from tests.fixtures.accounts import code_of

VERBS = {
    "rename": ("PATCH", "", {"json": {"name": "urchins.txt"}}),
    "trash": ("DELETE", "", {}),
    "restore": ("POST", "/restore", {}),
}
READS = ("", "/content", "/content?redirect=true", "/thumbnail", "/thumbnail?size=1024")


@pytest.fixture
def file(alice, reef):
    return alice.uploads(reef, "kelp.txt").json


@pytest.fixture
def at(reef, file):
    return f"/projects/{reef.id}/files/{file['id']}"


class TestRenaming:
    def test_a_new_name_is_a_new_version(self, alice, reef, file, at, advance):
        advance(minutes=1)
        answer = alice.patch(at, json={"name": "urchins.txt"})
        assert (answer.status_code, answer.json["name"], answer.json["version"]) == (200, "urchins.txt", 2)
        assert answer.json["updated_at"] > file["updated_at"]
        assert alice.get(at).json["name"] == "urchins.txt"
        newest = alice.get(f"/projects/{reef.id}/activity").json["items"][0]
        assert (newest["kind"], newest["changes"]) == (
            "file.renamed", {"name": {"before": "kelp.txt", "after": "urchins.txt"}},
        )  # fmt: skip

    def test_the_same_name_changes_nothing(self, alice, at, file, events_of, reef):
        before = events_of(reef.id)
        assert alice.patch(at, json={"name": "kelp.txt"}).json["version"] == file["version"]
        assert events_of(reef.id) == before

    @pytest.mark.parametrize(
        ("asked", "kept"),
        [("../../etc/passwd.txt", "passwd.txt"), ("ur\u202echins.txt", "urchins.txt"), ("con.txt", "_con.txt"),
         ("C:\\kelp.txt", "kelp.txt"), ("kelp.TXT", "kelp.TXT"), ("kelp.md", "kelp.md"), ("kelp.log", "kelp.log")],
    )  # fmt: skip
    def test_names_are_cleaned_as_those_of_uploads_are(self, alice, at, asked, kept):
        """SEC-46."""
        answer = alice.patch(at, json={"name": asked})
        assert (answer.status_code, answer.json["name"]) == (200, kept)

    @pytest.mark.parametrize("name", ["...", "\u200b\u202e", "/", "", "k" * 256])
    def test_a_name_of_which_nothing_is_left_is_none(self, alice, at, name):
        answer = alice.patch(at, json={"name": name})
        assert code_of(answer) == (422, "validation_failed")
        assert answer.json["errors"][0]["field"] == "name"
        assert alice.get(at).json["name"] == "kelp.txt"

    @pytest.mark.parametrize(
        "name", ["kelp.exe", "kelp.html", "kelp.png", "kelp", "kelp.bat", "kelp.txt.svg", ".txt"]
    )
    def test_a_file_does_not_become_another_type_by_its_name(self, alice, at, name):
        """SEC-46: what was refused as an upload does not come in by being renamed."""
        assert code_of(alice.patch(at, json={"name": name})) == (415, "file_type_not_allowed")

    @pytest.mark.parametrize("body", [{}, {"name": None}, {"name": 7}, {"name": "a.txt", "size": 1}])
    def test_other_bodies_are_refused(self, alice, at, body):
        assert code_of(alice.patch(at, json=body)) == (422, "validation_failed")

    def test_a_stale_tag_is_told_what_is_there_now(self, alice, at):
        tag = alice.get(at).headers["ETag"]
        assert alice.patch(at, json={"name": "urchins.txt"}, headers={"If-Match": tag}).status_code == 200
        for method in ("PATCH", "DELETE"):
            options = {"json": {"name": "otters.txt"}} if method == "PATCH" else {}
            answer = alice.open(method, at, headers={"If-Match": tag}, **options)
            assert code_of(answer) == (412, "version_conflict")
            assert (answer.json["current"]["name"], answer.json["current"]["version"]) == ("urchins.txt", 2)
            assert answer.headers["ETag"].startswith('"2.')

    def test_repeating_with_a_key_is_renaming_once(self, alice, at):
        headers = {"Idempotency-Key": "the-first-try"}
        first, second = (alice.patch(at, json={"name": "urchins.txt"}, headers=headers) for _ in range(2))
        assert first.get_data() == second.get_data()
        assert second.headers["Idempotency-Replayed"] == "true"
        assert alice.get(at).json["version"] == 2

    def test_a_file_in_the_trash_keeps_its_name(self, alice, at):
        alice.delete(at)
        assert code_of(alice.patch(at, json={"name": "urchins.txt"})) == (409, "write_conflict")


class TestTrash:
    def test_a_trashed_file_can_be_read_about_and_not_downloaded(self, alice, at, reef, file, counted):
        assert alice.delete(at).status_code == 204
        told = alice.get(at).json
        assert told["deleted_at"]
        assert (told["content_url"], told["thumbnail_url"]) == (None, None)
        assert code_of(alice.get(f"{at}/content")) == (404, "not_found")
        assert counted(reef) == (0, file["size"], 0), "it takes room as long as it is there"

    def test_it_comes_back_as_it_was(self, alice, at, reef, file, counted):
        alice.delete(at)
        answer = alice.post(f"{at}/restore")
        assert (answer.status_code, answer.json["name"], answer.json["deleted_at"]) == (200, "kelp.txt", None)
        assert alice.get(f"{at}/content").status_code == 200
        assert counted(reef) == (1, file["size"], 0)

    def test_doing_it_twice_is_doing_it_once(self, alice, at, reef, events_of):
        for verb in ("trash", "restore"):
            method, path, options = VERBS[verb]
            first = alice.open(method, at + path, **options)
            version, told = alice.get(at).json["version"], events_of(reef.id)
            second = alice.open(method, at + path, **options)
            assert first.status_code == second.status_code
            assert alice.get(at).json["version"] == version
            assert events_of(reef.id) == told

    def test_the_activity_tells_it(self, alice, at, reef, events_of):
        alice.delete(at)
        alice.post(f"{at}/restore")
        assert [kind for kind, _, _ in events_of(reef.id)][-2:] == ["file.deleted", "file.restored"]


@pytest.mark.parametrize("verb", VERBS)
def test_who_may_change(people, at, alice, verb):
    method, path, options = VERBS[verb]
    expected = {"anonymous": 401, "stranger": 404, "viewer": 403}
    for who, person in people.items():
        if verb == "restore":
            alice.delete(at)
        answer = person.open(method, at + path, **options)
        assert answer.status_code == expected.get(who, 204 if verb == "trash" else 200), who


@pytest.mark.parametrize("path", READS)
def test_who_may_read(people, at, path):
    for who, person in people.items():
        status = person.get(at + path).status_code
        assert status == {"anonymous": 401, "stranger": 404}.get(who, status), who
        assert status not in {401, 403} or who == "anonymous"


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("state", ["archived", "deleted"])
def test_a_project_that_is_put_away_keeps_its_files_as_they_are(alice, reef, at, projects, verb, state):
    (projects.archive if state == "archived" else projects.trash)(alice.actor, reef.id)
    method, path, options = VERBS[verb]
    assert code_of(alice.open(method, at + path, **options)) == (409, f"project_{state}")
    assert alice.get(f"{at}/content").status_code == 200, "reading goes on"


def test_a_file_is_found_only_in_its_own_project(alice, bob, reef, file, at, joins, subtests):
    """SEC-40: the pair is checked, also for somebody who is in both projects."""
    other = bob.creates("Bob's bay")
    joins(alice, other, "editor")
    elsewhere = f"/projects/{other.id}/files/{file['id']}"
    asked = [*VERBS.values(), *(("GET", path, {}) for path in READS)]
    for method, path, options in asked:
        with subtests.test(method=method, path=path):
            assert code_of(alice.open(method, elsewhere + path, **options)) == (404, "not_found")
    before = alice.get(at).json
    assert (before["name"], before["deleted_at"]) == ("kelp.txt", None)


def test_an_upload_is_found_only_in_its_own_project(alice, reef):
    """SEC-40, for tus."""
    headers = {"Tus-Resumable": "1.0.0", "Upload-Length": "9", "Upload-Metadata": "filename a2VscC50eHQ="}
    place = alice.post(f"/projects/{reef.id}/tus", headers=headers).headers["Location"]
    other = alice.creates("Another reef")
    elsewhere = place.replace(str(reef.id), str(other.id)).removeprefix("/api/v1")
    more = {"headers": {**headers, "Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}}
    for method, options in (("GET", {}), ("PATCH", {**more, "data": b"123456789"}), ("DELETE", more)):
        assert code_of(alice.open(method, elsewhere, **options)) == (404, "not_found")
        completed = alice.post(elsewhere.replace("/tus/", "/uploads/") + "/complete")
        assert code_of(completed) == (404, "not_found")
    assert alice.get(place.removeprefix("/api/v1")).json["offset"] == 0
