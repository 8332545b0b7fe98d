"""My uploads under way: found again, ended, and those that stand still give way to a new one (SEC-40, D9)."""

from uuid import UUID

import pytest

from app.members.service import MemberService
from app.uploads import quotas
from app.uploads.resumable import Resumable
from tests.fixtures.accounts import code_of
from tests.fixtures.tus import Tus, text_of

TEXT = text_of(5_000)
LIST = "/me/uploads"


@pytest.fixture
def rested(sql):
    """``rested(path, minutes)``: nothing has arrived of an upload for so long."""

    def move(path, minutes):
        sql(
            "UPDATE uploads SET created_at = created_at - make_interval(mins => %s),"
            " moved_at = moved_at - make_interval(mins => %s) WHERE id = %s",
            (minutes, minutes, path.rsplit("/", 1)[1]),
        )

    return move


@pytest.fixture
def three_at_most(monkeypatch):
    monkeypatch.setattr(quotas, "MOST_UNDER_WAY", 3)


def listed(person):
    return [item["id"] for item in person.get(LIST).json["items"]]


def id_of(path):
    return path.rsplit("/", 1)[1]


def test_the_list_says_how_to_go_on(alice, reef, tus):
    other = alice.creates("Crabs")
    first, second = tus.begins(len(TEXT), "reef.txt"), Tus(alice, other).begins(10, "crabs.txt")
    tus.append(first, 0, TEXT[:1_000])
    newer, older = alice.get(LIST).json["items"]
    assert (id_of(second), id_of(first)) == (newer["id"], older["id"])
    assert older == {
        "id": id_of(first), "project_id": str(reef.id), "kind": "resumable", "name": "reef.txt", "size": 5_000,
        "received": 1_000, "tus_url": f"/api/v1{first}", "created_at": older["created_at"],
        "expires_at": older["expires_at"],
    }  # fmt: skip
    path = older["tus_url"].removeprefix("/api/v1")
    assert tus.append(path, older["received"], TEXT[1_000:]).status_code == 204
    assert listed(alice) == [id_of(second)], "what is a file is no upload any more"
    alice.delete(f"{LIST}/{id_of(first)}")
    assert alice.get(f"/projects/{reef.id}/files").json["items"][0]["size"] == 5_000


def test_it_comes_in_pages(alice, tus):
    begun = [id_of(tus.begins(10)) for _ in range(5)]
    found, cursor = [], ""
    while True:
        page = alice.get(f"{LIST}?limit=2&include_total=true{cursor}").json
        assert page["total"] == 5
        found += [item["id"] for item in page["items"]]
        if not page["has_more"]:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert found == begun[::-1]


def test_sec_40_everybody_sees_and_ends_only_their_own(alice, bob, charlie, reef, joins, tus):
    joins(bob, reef, "admin")
    path = tus.begins(10)
    assert listed(bob) == listed(charlie) == []
    for person in (bob, charlie):
        assert code_of(person.delete(f"{LIST}/{id_of(path)}")) == (404, "not_found")
    tus.begins(10)
    cursor = alice.get(f"{LIST}?limit=1").json["next_cursor"]
    assert code_of(bob.get(f"{LIST}?cursor={cursor}")) == (422, "invalid_cursor")
    assert tus.offset(path) == 0


def test_what_is_ended_is_gone_with_its_room_and_its_content(alice, reef, tus, room, rows, sweep, stored):
    path = tus.begins(len(TEXT))
    tus.append(path, 0, TEXT[:1_000])
    assert alice.delete(f"{LIST}/{id_of(path)}").status_code == 204
    assert room(reef) == (0, 0, 0)
    assert tus.head(path).status_code == 404
    assert code_of(alice.delete(f"{LIST}/{id_of(path)}")) == (404, "not_found")
    sweep()
    assert (rows("uploads"), rows("upload_segments"), stored()) == (0, 0, set())


def test_sec_40_who_has_left_can_still_end_what_waits_there(bob, alice, reef, joins, parts):
    """tus itself does not know the project any more; the upload would count for a day."""
    joins(bob, reef, "editor")
    path = Tus(bob, reef).begins(10)
    parts.services[MemberService].remove(alice.actor, reef.id, bob.user.id)
    assert Tus(bob, reef).ends(path).status_code == 404
    assert listed(bob) == [id_of(path)]
    assert bob.delete(f"{LIST}/{id_of(path)}").status_code == 204
    assert listed(bob) == []


def test_one_that_has_expired_is_not_shown_and_does_not_count(alice, tus, sql, three_at_most):
    paths = [tus.begins(10) for _ in range(3)]
    sql("UPDATE uploads SET expires_at = created_at")
    assert listed(alice) == []
    assert code_of(alice.delete(f"{LIST}/{id_of(paths[0])}")) == (404, "not_found")
    assert tus.create(10).status_code == 201


def test_the_refusal_names_the_list(tus, three_at_most):
    for _ in range(3):
        tus.begins(10)
    answer = tus.create(10)
    assert code_of(answer) == (403, "quota_exceeded")
    assert "GET /api/v1/me/uploads" in answer.json["detail"]


def test_d9_at_the_limit_the_one_that_stood_still_the_longest_gives_way(
    alice, reef, tus, three_at_most, rested, sweep, room
):
    paths = [tus.begins(1_000) for _ in range(3)]
    for path, minutes in zip(paths, (70, 90, 30), strict=True):
        tus.append(path, 0, TEXT[:10])
        rested(path, minutes)
    newest = tus.begins(1_000)
    assert set(listed(alice)) == {id_of(path) for path in (paths[0], paths[2], newest)}
    assert tus.head(paths[1]).status_code == 404
    assert tus.offset(paths[0]) == 10
    sweep()
    assert room(reef) == (0, 0, 3_000), "its room is free with the next sweep"


def test_d9_what_moves_does_not_give_way_however_old_it_is(tus, three_at_most, rested):
    paths = [tus.begins(1_000) for _ in range(3)]
    for path in paths:
        rested(path, 300)
        tus.append(path, 0, TEXT[:10])
    assert code_of(tus.create(10)) == (403, "quota_exceeded")
    assert [tus.offset(path) for path in paths] == [10] * 3


def test_d9_what_arrives_counts_as_moving_also_within_one_request(
    alice, reef, tus, parts, small_segments, sql
):
    """Some clients send all of a file by one request, which may last for hours."""
    small_segments(100)
    upload_id = id_of(tus.begins(1_000))

    def pieces():
        yield TEXT[:100]
        sql("UPDATE uploads SET moved_at = created_at - interval '2 hours'")
        yield TEXT[100:200]

    parts.services[Resumable].append(alice.actor, reef.id, UUID(upload_id), 0, pieces())
    [(begun, moved)] = sql("SELECT created_at, moved_at FROM uploads")
    assert moved > begun


def test_d9_one_that_nobody_went_on_with_counts_from_its_beginning(tus, three_at_most, rested):
    paths = [tus.begins(10) for _ in range(3)]
    rested(paths[2], 61)
    tus.begins(10)
    assert [tus.head(path).status_code for path in paths] == [200, 200, 404]


def test_d9_others_give_way_to_nobody(alice, bob, reef, joins, tus, three_at_most, rested):
    joins(bob, reef, "editor")
    his = Tus(bob, reef).begins(10)
    rested(his, 500)
    for _ in range(3):
        tus.begins(10)
    assert code_of(tus.create(10)) == (403, "quota_exceeded")
    assert listed(bob) == [id_of(his)]
