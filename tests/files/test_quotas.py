"""How much room there is, also for twenty who ask at once (SEC-46)."""

import pytest

from tests.fixtures.accounts import code_of
from tests.fixtures.client import ApiClient
from tests.fixtures.forms import FORM, chunked, form, part
from tests.fixtures.people import sign_in

SIZE = 1_000
ROOM = 7_500


def sends(person, project, size=SIZE, framed="length"):
    body = form(part(b"k" * size))
    sent = chunked(body) if framed == "chunked" else {"data": body, "content_type": FORM}
    return person.post(f"/projects/{project.id}/files", **sent)


@pytest.fixture
def narrow(kept_app):
    """``narrow(alice, project_quota_bytes=100)``: the same person where there is so much room and no other limit."""

    def make(person, **settings):
        room = {"project_quota_bytes": 0, "account_quota_bytes": 0, **settings}
        return ApiClient(kept_app(upload_max_bytes=10_000, **room), person.token)

    return make


@pytest.fixture
def sums(sql):
    """What the counters say of all projects, next to what the tables themselves add up to."""

    def add():
        counters = sql("SELECT sum(files)::int, sum(bytes)::int, sum(reserved)::int FROM project_storage")
        tables = sql(
            "SELECT (SELECT count(*)::int FROM files WHERE deleted_at IS NULL), (SELECT sum(size)::int FROM files),"
            " (SELECT coalesce(sum(reserved), 0)::int FROM uploads)"
        )
        assert counters == tables
        return counters[0]

    return add


@pytest.mark.parametrize("framed", ["length", "chunked"])
@pytest.mark.parametrize("setting", ["project_quota_bytes", "account_quota_bytes"])
def test_twenty_at_once_never_take_more_than_there_is(alice, narrow, at_once, sums, stored, setting, framed):
    """SEC-46: one project of Alice's for each limit of one project, four for that of her account."""
    person = narrow(alice, **{setting: ROOM})
    places = [alice.creates(f"Reef {number}") for number in range(1 if setting.startswith("project") else 4)]
    answers = at_once(20, lambda number: sends(person, places[number % len(places)], framed=framed))
    made = [answer for answer in answers if answer.status_code == 201]
    assert {code_of(answer) for answer in answers} <= {(201, None), (403, "quota_exceeded")}
    assert {answer.json["left"] < ROOM for answer in answers if answer.status_code == 403} <= {True}
    files, taken, reserved = sums()
    assert (files, taken, reserved) == (len(made), SIZE * len(made), 0)
    assert 1 <= files <= ROOM // SIZE
    assert len(stored()) == files
    while sends(person, places[0]).status_code == 201:
        pass
    assert sums() == (ROOM // SIZE, ROOM // SIZE * SIZE, 0), "and what was left can still be had"


def test_nothing_is_no_limit(alice, reef, narrow, sums):
    person = narrow(alice)
    assert {sends(person, reef, 9_000).status_code for _ in range(3)} == {201}
    assert sums() == (3, 27_000, 0)


def test_the_narrower_of_both_limits_holds(alice, reef, narrow):
    person = narrow(alice, project_quota_bytes=5_000, account_quota_bytes=2_000)
    assert sends(person, alice.creates("Another reef"), 1_500).status_code == 201
    refused = sends(person, reef, 1_000)
    assert (code_of(refused), refused.json["left"]) == ((403, "quota_exceeded"), 500)
    assert refused.json["scope"] == "account"
    assert sends(person, reef, 400).status_code == 201
    alone = narrow(alice, project_quota_bytes=600, account_quota_bytes=100_000)
    assert sends(alone, reef, 300).json["scope"] == "project"


def test_what_a_member_uploads_counts_for_the_owner(alice, bob, reef, joins, narrow):
    joins(bob, reef, "editor")
    member, owner = (narrow(person, account_quota_bytes=2_000) for person in (bob, alice))
    assert sends(member, reef, 1_500).status_code == 201
    assert sends(owner, alice.creates("Another reef"), 1_000).json["left"] == 500
    assert sends(member, bob.creates("Bob's bay"), 2_000).status_code == 201


def test_a_project_that_is_handed_over_takes_its_load_along(alice, bob, reef, joins, narrow):
    joins(bob, reef, "editor")
    hers, his = (narrow(person, account_quota_bytes=2_000) for person in (alice, bob))
    assert sends(hers, reef, 1_500).status_code == 201
    answer = alice.post(f"/projects/{reef.id}/transfer", json={"user_id": str(bob.user.id)})
    assert answer.status_code == 200
    assert sends(hers, alice.creates("Another reef"), 2_000).status_code == 201
    assert sends(his, bob.creates("Bob's bay"), 1_000).json["left"] == 500


def test_the_trash_takes_room_until_it_is_emptied(alice, reef, narrow, sums):
    person = narrow(alice, project_quota_bytes=2_000)
    file = sends(person, reef, 1_500).json
    alice.delete(f"/projects/{reef.id}/files/{file['id']}")
    assert sends(person, reef, 501).json["left"] == 500
    assert sums() == (0, 1_500, 0)


def test_a_project_that_goes_gives_its_room_back(alice, reef, projects, narrow, sql):
    person = narrow(alice, account_quota_bytes=2_000)
    assert sends(person, reef, 2_000).status_code == 201
    projects.trash(alice.actor, reef.id)
    projects.purge(alice.actor, reef.id)
    assert sql("SELECT count(*) FROM project_storage") == [(0,)]
    assert sends(person, alice.creates("Another reef"), 2_000).status_code == 201


def test_an_upload_under_way_holds_its_room(alice, reef, narrow, sums):
    person = narrow(alice, project_quota_bytes=2_000)
    headers = {"Tus-Resumable": "1.0.0", "Upload-Length": "1500", "Upload-Metadata": "filename a2VscC50eHQ="}
    begun = person.post(f"/projects/{reef.id}/tus", headers=headers)
    assert begun.status_code == 201
    assert sends(person, reef, 501).json["left"] == 500
    assert (
        person.delete(begun.headers["Location"].removeprefix("/api/v1"), headers=headers).status_code == 204
    )
    assert sends(person, reef, 2_000).status_code == 201


def test_nobody_has_a_hundred_uploads_under_way(alice, reef, narrow, sql):
    person = narrow(alice)
    headers = {"Tus-Resumable": "1.0.0", "Upload-Length": "9", "Upload-Metadata": "filename a2VscC50eHQ="}
    assert person.post(f"/projects/{reef.id}/tus", headers=headers).status_code == 201
    sql(
        "INSERT INTO uploads SELECT gen_random_uuid(), project_id, user_id, kind, name, content_type, size, sha256, 0, 0,"
        " NULL, NULL, NULL, created_at, expires_at FROM uploads, generate_series(1, 99)"
    )
    refused = sends(person, reef)
    assert (code_of(refused), refused.json["scope"]) == ((403, "quota_exceeded"), "uploads")


def test_signing_in_elsewhere_does_not_make_more_room(alice, reef, narrow, kept_app):
    person = narrow(alice, account_quota_bytes=2_000)
    assert sends(person, reef, 2_000).status_code == 201
    again = sign_in(person.app, alice.user)
    assert sends(again, reef, 1).json["left"] == 0
