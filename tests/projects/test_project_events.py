"""One event a write, in the transaction of the write."""

import pytest

from app.core.events import EventKind

CREATED = ("project.created", {"name": {"before": None, "after": "Reef survey"}})


def kinds_and_changes(rows):
    return [(kind, changes) for kind, _actor, changes in rows]


@pytest.mark.parametrize(
    ("state", "method", "path", "body", "kind", "changes"),
    [
        ("active", "PATCH", "", {"name": "Kelp"}, "project.updated",
         {"name": {"before": "Reef survey", "after": "Kelp"}}),
        ("active", "PATCH", "", {"name": "Reef survey", "description": None}, "project.updated",
         {"description": {"before": "What grows where.", "after": None}}),
        ("active", "PATCH", "", {"name": "Kelp", "description": "Deep."}, "project.updated",
         {"name": {"before": "Reef survey", "after": "Kelp"},
          "description": {"before": "What grows where.", "after": "Deep."}}),
        ("active", "POST", "/archive", None, "project.archived",
         {"status": {"before": "active", "after": "archived"}}),
        ("archived", "POST", "/unarchive", None, "project.unarchived",
         {"status": {"before": "archived", "after": "active"}}),
        ("active", "DELETE", "", None, "project.deleted", {"status": {"before": "active", "after": "deleted"}}),
        ("archived", "DELETE", "", None, "project.deleted",
         {"status": {"before": "archived", "after": "deleted"}}),
        ("deleted", "POST", "/restore", None, "project.restored",
         {"status": {"before": "deleted", "after": "active"}}),
        ("deleted", "DELETE", "/permanently", None, "project.purged", {}),
    ],
)  # fmt: skip
def test_each_write_tells_what_it_changed(
    alice, in_state, events_of, sql, state, method, path, body, kind, changes
):
    project = in_state(alice, state)
    told = len(events_of(project.id))
    request = {"json": body} if body else {}
    response = alice.open(method, f"/projects/{project.id}{path}", **request)
    assert response.status_code < 300
    # A purge tells each member too, see tests/changes.
    rows = [row for row in events_of(project.id) if row[0] != "member.removed"]
    assert kinds_and_changes(rows[told:]) == [(kind, changes)]
    assert rows[-1][1] == str(alice.user.id)
    assert EventKind(kind)
    found = sql("SELECT request_id, subject_id FROM events ORDER BY seq DESC LIMIT 1")
    assert found == [(response.headers["X-Request-ID"], str(project.id))]


def test_creating_tells_too(alice, events_of):
    created = alice.post("/projects", json={"name": "Reef survey"}).json
    assert kinds_and_changes(events_of(created["id"])) == [CREATED]


def test_a_member_is_named_as_the_one_who_did_it(alice, bob, joins, events_of):
    project = alice.creates()
    joins(bob, project, "editor")
    bob.patch(f"/projects/{project.id}", json={"name": "Kelp"})
    assert [row[1] for row in events_of(project.id)] == [str(alice.user.id), str(bob.user.id)]


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [("PATCH", "", {"name": "Kelp"}), ("POST", "/archive", None), ("DELETE", "", None)],
)
def test_the_event_and_the_change_are_of_one_transaction(alice, sql, method, path, body):
    project = alice.creates()
    alice.open(method, f"/projects/{project.id}{path}", **({"json": body} if body else {}))
    # xmin holds the lower half of the writing transaction's number.
    [(row, event)] = sql(
        "SELECT p.xmin::text::bigint, mod(e.xid::text::numeric, 4294967296)::bigint"
        " FROM projects p JOIN events e ON e.project_id = p.id WHERE p.id = %s ORDER BY e.seq DESC LIMIT 1",
        (str(project.id),),
    )
    assert row == event


def test_no_event_no_change(alice, sql, row_of, events_of):
    """What keeps the event from being written keeps the change from being made."""
    project = alice.creates()
    before, told = row_of(project.id), events_of(project.id)
    sql("ALTER TABLE events ADD CONSTRAINT no_more CHECK (kind <> 'project.updated') NOT VALID")
    try:
        response = alice.patch(f"/projects/{project.id}", json={"name": "Kelp"})
    finally:
        sql("ALTER TABLE events DROP CONSTRAINT no_more")
    assert response.status_code == 500
    assert "no_more" not in response.get_data(as_text=True)
    assert row_of(project.id) == before
    assert events_of(project.id) == told
    assert alice.get(f"/projects/{project.id}").json["name"] == "Reef survey"
