"""What the worker erases when the grace is over, and what stays without a name (docs/privacy.md)."""

import psycopg2
import pytest

from app.core.errors import AppError, Code
from app.deletion.purge import AccountPurge
from app.projects.service import ProjectService
from dev.roles import plain_url
from tests.fixtures.accounts import becomes_a_user, code_of, registers, signs_in
from tests.fixtures.client import ApiClient
from tests.fixtures.people import make_person

KEEPS_IDS = {"events", "access_changes"}


@pytest.fixture
def due(alice, leaves, advance, parts):
    """Alice left so long ago that she is due."""
    leaves(alice)
    advance(days=parts.settings.deletion_grace_days, seconds=1)
    return alice


def everywhere(sql, *marks):
    """The tables in which any of the words stands."""
    tables = [row[0] for row in sql("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")]
    return {
        table
        for table in tables
        if not table.startswith("procrastinate")
        and any(mark in row[0] for row in sql(f"SELECT t::text FROM {table} t") for mark in marks)
    }


def test_nothing_is_erased_before_its_time(alice, leaves, advance, parts, purge):
    leaves(alice)
    advance(days=parts.settings.deletion_grace_days, seconds=-30)
    assert purge() == 0
    assert signs_in(ApiClient(alice.app), alice.email).status_code == 200


def test_the_account_is_gone_with_all_that_was_its_own(
    app, alice, bob, script, joins, leaves, advance, parts, purge, sql, letters, anonymous
):
    script(alice, "read").get("/me")
    alice.post("/projects", json={"name": "Secret reef"}, headers={"Idempotency-Key": "k"})
    alice.patch("/me", json={"display_name": "Alice Anemone"})
    theirs = bob.creates("Bob's bay")
    joins(alice, theirs, "editor")
    alice.patch(f"/projects/{theirs.id}", json={"name": "Bob's bay, surveyed"})
    registers(anonymous, alice.email)
    signs_in(anonymous, alice.email, "not her password")
    letters()
    leaves(alice)
    letters()
    marks = ("Alice", "Secret reef", alice.email, str(alice.user.id), str(alice.session_id))
    assert {"users", "sessions", "events", "audit_events", "projects", "api_tokens"} <= everywhere(
        sql, *marks
    )

    advance(days=parts.settings.deletion_grace_days, seconds=1)
    assert purge() == 1
    assert everywhere(sql, *marks) <= KEEPS_IDS
    [row] = sql("SELECT kind, actor_id, changes FROM events WHERE subject_id = %s", (str(alice.user.id),))
    assert row == ("user.purged", None, {})
    assert sql("SELECT count(*) FROM events WHERE actor_id = %s", (str(alice.user.id),)) == [(0,)]
    assert everywhere(sql, "Alice", "Secret reef", alice.email) == set()
    assert bob.signs_in_again().get(f"/projects/{theirs.id}").json["name"] == "Bob's bay, surveyed"
    kinds = [
        row[0] for row in sql("SELECT kind FROM events WHERE project_id = %s ORDER BY seq", (str(theirs.id),))
    ]
    assert kinds == ["project.created", "project.updated"], "the history of Bob's project is his"


def hands_over(giver, project, heir):
    answer = giver.post(f"/projects/{project.id}/transfer", json={"user_id": str(heir.user.id)})
    assert answer.status_code == 200


@pytest.mark.parametrize("leaver", ["who gave it away", "who gave it back"])
def test_a_project_that_was_handed_over_does_not_tell_that_the_erased_owned_it(
    alice, bob, joins, leaves, advance, parts, purge, sql, leaver
):
    """What somebody did in projects of others stays, done by nobody."""
    project = alice.creates()
    joins(bob, project, "admin")
    hands_over(alice, project, bob)
    gone, owner = alice, bob
    if leaver == "who gave it back":
        hands_over(bob, project, alice)
        gone, owner = bob, alice
    leaves(gone)
    advance(days=parts.settings.deletion_grace_days, seconds=1)
    assert purge() == 1
    query = {"kind": "project.transferred"}
    history = owner.signs_in_again().get(f"/projects/{project.id}/activity", query_string=query).json["items"]
    to_the_owner = {"before": None, "after": str(owner.user.id)}
    back = {"before": str(owner.user.id), "after": None}
    owners = [each["changes"]["owner_id"] for each in history]
    assert owners == ([to_the_owner] if gone is alice else [to_the_owner, back])
    rows = [row for (row,) in sql("SELECT e::text FROM events e WHERE kind <> 'user.purged'")]
    assert not [row for row in rows if str(gone.user.id) in row]


def test_the_trail_keeps_what_happened_and_not_to_whom(due, purge, sql):
    before = [row[0] for row in sql("SELECT kind FROM audit_events ORDER BY created_at, id")]
    assert before
    purge()
    rows = sql(
        "SELECT kind, user_id, actor_id, ip, device, data, request_id FROM audit_events ORDER BY created_at, id"
    )
    assert [row[0] for row in rows] == [*before, "account.purged"]
    assert all(row[1:] == (None, None, None, None, {}, None) for row in rows[:-1])


def test_what_administrators_did_to_them_still_names_the_administrator(due, ada, purge, sql):
    insert = (
        "INSERT INTO audit_events (id, kind, user_id, actor_id, ip, device, data, created_at)"
        " VALUES (gen_random_uuid(), %s, %s, %s, '203.0.113.0', 'a phone', '{\"role\": 1}', clock_timestamp())"
    )
    sql(insert, ("to.alice", str(due.user.id), str(ada.user.id)))
    sql(insert, ("by.alice", str(ada.user.id), str(due.user.id)))
    purge()
    columns = "kind, user_id::text, actor_id::text, ip, device, data"
    found = {row[0]: row[1:] for row in sql(f"SELECT {columns} FROM audit_events")}
    assert found["to.alice"] == (None, str(ada.user.id), None, None, {})
    assert found["by.alice"] == (str(ada.user.id), None, None, None, {"role": 1})


def test_her_tokens_and_sessions_answer_as_if_she_had_never_been(due, purge, anonymous):
    purge()
    assert code_of(due.get("/me")) in {(401, "session_revoked"), (401, "token_expired")}
    assert code_of(signs_in(anonymous, due.email)) == (401, "invalid_credentials")


def test_the_address_is_free_again(due, purge, anonymous, letters):
    purge()
    user = becomes_a_user(anonymous, letters, due.email)["user"]
    assert user["email"] == due.email
    assert user["id"] != str(due.user.id)


def test_many_projects_go_in_batches(due, plant, purge, sql, monkeypatch):
    plant(due, [f"Project {number}" for number in range(450)])
    assert purge() == 1
    assert sql("SELECT count(*) FROM projects") == [(0,)]


def test_a_run_that_was_cut_off_is_finished_by_the_next(due, parts, plant, purge, sql, monkeypatch):
    plant(due, ["One", "Two"])
    projects = parts.services[ProjectService]
    with monkeypatch.context() as patch:
        patch.setattr(parts.services[AccountPurge], "_finish", lambda _user: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            purge()
    assert sql("SELECT count(*) FROM users") == [(1,)]
    assert projects.shared_of(due.user.id, 1) == []
    assert code_of(due.signs_in_again().post("/me/restore")) == (409, "write_conflict")
    assert purge() == 1
    assert sql("SELECT count(*) FROM users") == [(0,)]


def test_one_that_fails_does_not_keep_the_others(alice, bob, leaves, advance, parts, purge, sql, monkeypatch):
    for person in (alice, bob):
        leaves(person)
    advance(days=parts.settings.deletion_grace_days, seconds=1)
    worker = parts.services[AccountPurge]
    real = worker.erase

    def erase(user_id):
        if user_id == alice.user.id:
            raise AppError(Code.overloaded, "Not now.")
        return real(user_id)

    monkeypatch.setattr(worker, "erase", erase)
    with pytest.raises(AppError, match="Not now"):
        purge()
    assert sql("SELECT email FROM users") == [(alice.email,)]


def test_who_got_members_during_the_grace_waits(due, bob, plant, parts, joins, purge, sql):
    [project] = plant(due, ["Shared"])
    sql(
        "INSERT INTO project_members VALUES (%s, %s, 'viewer', clock_timestamp())",
        (str(project), str(bob.user.id)),
    )
    assert purge() == 0
    assert sql("SELECT count(*) FROM projects") == [(1,)]
    sql("DELETE FROM project_members WHERE user_id = %s", (str(bob.user.id),))
    assert purge() == 1


def test_a_suspended_account_is_kept_while_it_is(due, purge, sql):
    sql("UPDATE users SET status = 'suspended'")
    assert purge() == 0
    sql("UPDATE users SET status = 'deletion_scheduled'")
    assert purge() == 1


def test_of_restoring_and_erasing_at_once_exactly_one_wins(
    make_app, leaves, advance, parts, at_once, sql, letters
):
    app = make_app()
    outcomes = set()
    for number in range(6):
        person = make_person(app, f"Person{number}")
        person.creates("Reef")
        assert person.delete("/me").status_code == 202
        token = letters(person.email)[0].token
        advance(days=parts.settings.deletion_grace_days, seconds=1)
        app.extensions["holdfast"].refresh_clock(force=True)
        work = {
            0: lambda _token=token: (
                app.test_client().post("/api/v1/auth/restore-account", json={"token": _token}).status_code
            ),
            1: parts.services[AccountPurge].run,
        }
        restored, erased = at_once(2, lambda which, _work=work: _work[which]())
        left = sql("SELECT status FROM users WHERE id = %s", (str(person.user.id),))
        assert (restored, erased, left) in [(204, 0, [("active",)]), (410, 1, [])]
        projects = sql("SELECT count(*) FROM projects WHERE owner_id = %s", (str(person.user.id),))
        assert projects == [(1 if left else 0,)]
        outcomes.add(restored)
        sql("DELETE FROM projects")
    assert outcomes


def test_of_many_workers_at_once_one_erases(due, at_once, purge, sql):
    assert sorted(at_once(4, lambda _number: purge())) == [0, 0, 0, 1]
    assert sql("SELECT count(*) FROM audit_events WHERE kind = 'account.purged'") == [(1,)]
    assert sql("SELECT count(*) FROM events WHERE kind = 'user.purged'") == [(1,)]


@pytest.mark.parametrize("state", ["active", "not due", "nobody"])
def test_sec_58_the_services_role_anonymises_nobody_who_is_not_due(alice, leaves, settings, sql, state):
    if state == "not due":
        leaves(alice)
    person = str(alice.user.id) if state != "nobody" else "0197a5b0-7c1e-7a60-9c2f-3f3b8a1c0a02"
    before = sql("SELECT t::text FROM audit_events t")
    connection = psycopg2.connect(plain_url(settings.database_url.get_secret_value()))
    try:
        refused = pytest.raises(psycopg2.errors.InsufficientPrivilege, match="not due")
        with connection.cursor() as cursor, refused:
            cursor.execute("SELECT anonymise_audit_events(%s)", (person,))
    finally:
        connection.close()
    assert sql("SELECT t::text FROM audit_events t") == before


def test_the_worker_does_it_by_itself_when_the_clock_moves(due, parts, run_jobs, sql):
    parts.sweep_soon()
    run_jobs()
    assert sql("SELECT count(*) FROM users") == [(0,)]
