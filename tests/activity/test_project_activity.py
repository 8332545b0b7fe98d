"""listProjectActivity: who did what to what, when, with before and after."""

import pytest

from app.core.events import Events
from tests.fixtures.accounts import as_bytes, code_of
from tests.fixtures.projects import NO_SUCH_ID

SAME_ID = {"X-Request-ID": "same-for-both"}


@pytest.fixture
def reef(alice, bob, joins):
    """Alice's project, in which Bob is an editor and has renamed it."""
    project = alice.creates()
    joins(bob, project, "editor")
    assert bob.patch(f"/projects/{project.id}", json={"name": "Kelp survey"}).status_code == 200
    return project


def history(person, project, **query):
    terms = "&".join(f"{name}={value}" for name, value in query.items())
    return person.get(f"/projects/{project.id}/activity?{terms}")


def test_an_anonymous_caller_is_refused(anonymous, reef):
    assert history(anonymous, reef).status_code == 401


def test_sec_39_a_stranger_gets_the_same_bytes_as_for_a_missing_id(charlie, reef):
    told, missing = (
        charlie.get(f"/projects/{project_id}/activity", headers=SAME_ID)
        for project_id in (reef.id, NO_SUCH_ID)
    )
    assert code_of(told) == (404, "not_found")
    assert as_bytes(told) == as_bytes(missing)


def test_it_tells_who_did_what_newest_first(alice, bob, reef):
    alice.patch(f"/projects/{reef.id}/members/{bob.user.id}", json={"role": "viewer"})
    for person in (alice, bob):
        lines = history(person, reef).json["items"]
        assert [(line["kind"], line["actor"]["display_name"]) for line in lines] == [
            ("member.role_changed", "Alice"), ("project.updated", "Bob"), ("project.created", "Alice"),
        ]  # fmt: skip
        assert lines[0]["object"] == {"type": "member", "id": str(bob.user.id), "display_name": "Bob"}
        assert lines[0]["changes"] == {"role": {"before": "editor", "after": "viewer"}}
        assert lines[1]["object"] == {"type": "project", "id": str(reef.id), "display_name": None}
        assert lines[1]["changes"] == {"name": {"before": "Reef survey", "after": "Kelp survey"}}


def test_a_line_is_written_with_the_change_or_not_at_all(alice, reef, monkeypatch, sql):
    monkeypatch.setattr(Events, "record", lambda *_a, **_b: 1 / 0)
    assert alice.patch(f"/projects/{reef.id}", json={"name": "Sea"}).status_code == 500
    assert sql("SELECT name FROM projects WHERE id = %s", (str(reef.id),)) == [("Kelp survey",)]


def test_it_can_be_narrowed(alice, bob, reef):
    assert [line["kind"] for line in history(alice, reef, actor_id=bob.user.id).json["items"]] == [
        "project.updated"
    ]
    assert [line["kind"] for line in history(alice, reef, kind="project.created").json["items"]] == [
        "project.created"
    ]
    assert history(alice, reef, kind="project.created", actor_id=bob.user.id).json["items"] == []
    assert code_of(history(alice, reef, kind="user.signed_in")) == (422, "validation_failed")


def test_pages_follow_each_other_and_a_cursor_keeps_its_filters(alice, bob, reef):
    for number in range(5):
        alice.patch(f"/projects/{reef.id}", json={"name": f"Number {number}"})
    seen, cursor = [], ""
    while cursor is not None:
        page = history(alice, reef, limit=2, **({"cursor": cursor} if cursor else {})).json
        seen += page["items"]
        cursor = page["next_cursor"]
    assert len(seen) == len({line["id"] for line in seen}) == 7
    assert seen == history(alice, reef).json["items"]
    cursor = history(alice, reef, limit=2).json["next_cursor"]
    assert code_of(history(alice, reef, cursor=cursor, kind="project.updated")) == (422, "invalid_cursor")
    assert code_of(history(bob, reef, cursor=cursor)) == (422, "invalid_cursor")


def test_of_somebody_who_was_erased_the_deeds_stay_and_the_name_goes(alice, bob, reef, parts, sql):
    alice.delete(f"/projects/{reef.id}/members/{bob.user.id}")
    with parts.uow:
        while parts.services[Events].forget_person(bob.user.id):
            pass
    sql("DELETE FROM users WHERE id = %s", (str(bob.user.id),))
    removed, renamed, _ = history(alice, reef).json["items"]
    assert removed["object"] == {"type": "member", "id": None, "display_name": None}
    assert (renamed["actor"], renamed["changes"]["name"]["after"]) == (None, "Kelp survey")
    assert (
        sql("SELECT 1 FROM events WHERE %s IN (actor_id::text, subject_id::text)", (str(bob.user.id),)) == []
    )


def test_a_page_is_two_statements_however_long(alice, reef, statements):
    for number in range(20):
        alice.patch(f"/projects/{reef.id}", json={"name": f"Number {number}"})
    with statements() as sent:
        assert len(history(alice, reef).json["items"]) == 20
    assert [each for each in sent if each != "SELECT sessions"] == ["SELECT projects", "SELECT events"]
