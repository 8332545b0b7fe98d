"""A file in the trash is removed for good, which makes room at once; nothing is lost and nothing counted twice."""

from uuid import UUID

import pytest

from app.files.service import FileService
from tests.fixtures.accounts import code_of, refreshes
from tests.fixtures.api_tokens import makes_token
from tests.fixtures.client import ApiClient
from tests.fixtures.people import make_administrator
from tests.fixtures.pictures import see_through

GONE = (404, "not_found")


@pytest.fixture
def file(alice, reef):
    return alice.uploads(reef, "kelp.txt").json


@pytest.fixture
def at(reef, file):
    return f"/projects/{reef.id}/files/{file['id']}"


@pytest.fixture
def trashed(alice, at):
    """Where the file is that lies in the trash."""
    assert alice.delete(at).status_code == 204
    return at


@pytest.fixture
def doomed(sql):
    """``doomed()``: keys that the next sweep takes."""
    return lambda: sql("SELECT object_key FROM doomed_objects")


def purges(person, place):
    return person.delete(f"{place}/permanently")


def test_alice_removes_a_file_and_nothing_of_it_is_left(alice, reef, trashed, counted, doomed, stored, sql):
    content = sql("SELECT object_key FROM files")
    answer = purges(alice, trashed)
    assert (answer.status_code, answer.data) == (204, b"")
    assert counted(reef) == (0, 0, 0)
    assert doomed() == content, "its object is the sweep's in the same transaction"
    assert stored() == []
    for path in ("", "/content", "/thumbnail"):
        assert code_of(alice.get(trashed + path)) == GONE
    assert code_of(alice.post(f"{trashed}/restore")) == GONE
    assert alice.get(f"/projects/{reef.id}/files?trashed=true").json["items"] == []


def test_the_small_pictures_go_with_it(alice, reef, do_jobs, stored):
    picture = alice.uploads(reef, "a.png", see_through()).json
    do_jobs()
    assert len(stored()) == 3
    place = f"/projects/{reef.id}/files/{picture['id']}"
    alice.delete(place)
    assert purges(alice, place).status_code == 204
    assert stored() == []


def test_addresses_that_were_handed_out_lead_nowhere(alice, anonymous, file, trashed):
    purges(alice, trashed)
    address = file["content_url"].partition("/api/v1")[2]
    assert code_of(anonymous.get(address)) == GONE


def test_the_history_tells_who_did_it(alice, reef, file, trashed):
    purges(alice, trashed)
    newest = alice.get(f"/projects/{reef.id}/activity").json["items"][0]
    assert (newest["kind"], newest["actor"]["id"]) == ("file.purged", str(alice.user.id))
    assert newest["changes"] == {"name": {"before": "kelp.txt", "after": None}}


def test_its_room_is_free_at_once(alice, reef, kept_app):
    person = alice.signs_in_again(kept_app(project_quota_bytes=2_000, account_quota_bytes=0))
    first = person.uploads(reef, content=b"k" * 1_500).json
    place = f"/projects/{reef.id}/files/{first['id']}"
    alice.delete(place)
    assert code_of(person.uploads(reef, content=b"k" * 2_000)) == (403, "quota_exceeded")
    assert purges(person, place).status_code == 204
    assert person.uploads(reef, content=b"k" * 2_000).status_code == 201, "no sweep was needed"


def test_who_may(people, app, alice, reef, subtests):
    """SEC-38: admins and the owner. Bob edits the reef, so that he may restore; Charlie and Ada learn of nothing."""
    expected = {"anonymous": 401, "stranger": 404, "viewer": 403, "editor": 403, "admin": 204, "owner": 204}
    for who, person in {**people, "administrator": make_administrator(app, "Ada")}.items():
        with subtests.test(who=who):
            place = f"/projects/{reef.id}/files/{alice.uploads(reef).json['id']}"
            alice.delete(place)
            status = expected.get(who, 404)
            assert purges(person, place).status_code == status
            assert alice.get(place).status_code == (404 if status == 204 else 200)


def test_sec_29_a_proof_of_identity_of_the_last_15_minutes_is_needed(alice, trashed, advance):
    advance(minutes=15, seconds=1)
    fresh = refreshes(alice, alice.refresh_token).json
    alice.token, alice.refresh_token = fresh["access_token"], fresh["refresh_token"]
    assert code_of(purges(alice, trashed)) == (403, "step_up_required")
    assert purges(alice.signs_in_again(), trashed).status_code == 204


def test_sec_29_no_script_does_it(app, alice, trashed):
    script = ApiClient(app, makes_token(alice, "read", "write")["token"])
    assert code_of(purges(script, trashed)) == (403, "forbidden")
    assert script.get(trashed).status_code == 200


def test_a_file_that_is_not_in_the_trash_stays(alice, at, counted, reef, file, stored):
    assert code_of(purges(alice, at)) == (409, "write_conflict")
    assert alice.get(f"{at}/content").status_code == 200
    assert (counted(reef), len(stored())) == ((1, file["size"], 0), 1)


@pytest.mark.parametrize("state", ["archived", "deleted"])
def test_a_project_that_is_put_away_keeps_its_trash(alice, reef, trashed, projects, state):
    (projects.archive if state == "archived" else projects.trash)(alice.actor, reef.id)
    assert code_of(purges(alice, trashed)) == (409, f"project_{state}")
    assert alice.get(trashed).status_code == 200


def test_sec_40_a_file_is_found_only_in_its_own_project(alice, file, trashed):
    other = alice.creates("Another reef")
    assert code_of(purges(alice, f"/projects/{other.id}/files/{file['id']}")) == GONE
    assert alice.get(trashed).status_code == 200


def test_of_many_at_once_one_removes_it(alice, reef, trashed, at_once, counted, events_of, stored):
    alice.uploads(reef, "urchins.txt")
    before = counted(reef)
    answers = at_once(6, lambda _number: code_of(purges(alice, trashed)))
    assert sorted(answers) == [(204, None), *[GONE] * 5]
    assert [kind for kind, _, _ in events_of(reef.id)].count("file.purged") == 1
    assert counted(reef) == (1, before[1] - before[1] // 2, 0)
    assert len(stored()) == 1


def test_it_is_removed_or_restored_never_both(alice, reef, file, trashed, at_once, counted, stored):
    deeds = [lambda: purges(alice, trashed), lambda: alice.post(f"{trashed}/restore")]
    purged, restored = at_once(2, lambda number: code_of(deeds[number]()))
    assert (purged, restored) in [((204, None), GONE), ((409, "write_conflict"), (200, None))]
    kept = purged != (204, None)
    assert counted(reef) == ((1, file["size"], 0) if kept else (0, 0, 0))
    assert len(stored()) == kept


def test_the_sweep_of_the_trash_may_come_at_the_same_moment(
    alice, reef, trashed, at_once, parts, counted, events_of, stored
):
    files = parts.services[FileService]
    deeds = [lambda: purges(alice, trashed).status_code, lambda: files.purge_trash(0)]
    answered, swept = at_once(2, lambda number: deeds[number]())
    assert (answered, swept) in [(204, 0), (404, 1)]
    assert [kind for kind, _, _ in events_of(reef.id)].count("file.purged") == 1
    assert (counted(reef), stored()) == ((0, 0, 0), [])


def test_d14_what_breaks_off_at_the_last_moment_has_not_happened(
    alice, reef, file, trashed, parts, counted, doomed, monkeypatch, stored
):
    files, file_id = parts.services[FileService], UUID(file["id"])
    forget = files._files.forget
    with monkeypatch.context() as patch:
        patch.setattr(files._files, "forget", lambda ids: (forget(ids), 1 / 0))
        with pytest.raises(ZeroDivisionError):
            files.purge(alice.actor, reef.id, file_id)
    assert (counted(reef), doomed(), len(stored())) == ((0, file["size"], 0), [], 1)
    assert alice.get(trashed).json["id"] == file["id"]
    assert purges(alice, trashed).status_code == 204
