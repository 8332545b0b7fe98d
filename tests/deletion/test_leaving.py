"""Asking to be deleted, and what is open until then."""

from datetime import timedelta

import pytest

from app.core.audit import AuditKind
from app.web.fields import wire_time
from app.web.operations import declared
from tests.fixtures.accounts import code_of, registers, signs_in
from tests.fixtures.bodies import sound_request
from tests.fixtures.client import ApiClient
from tests.fixtures.contract import documented_operations
from tests.fixtures.people import make_administrator

OPEN = {"getMe", "restoreMe", "startExport", "getExport", "getJob", "downloadExport", "stepUp"}


def trail(sql):
    return [row[0] for row in sql("SELECT kind FROM audit_events ORDER BY created_at, id")]


def status_of(sql, person):
    return sql("SELECT status FROM users WHERE id = %s", (str(person.user.id),))[0][0]


def test_it_is_scheduled_for_the_end_of_the_grace(alice, leaves, parts, sql):
    before = parts.clock.now()
    due = leaves(alice)["deletion_scheduled_at"]
    grace = timedelta(days=parts.settings.deletion_grace_days)
    assert wire_time(before + grace) <= due <= wire_time(parts.clock.now() + grace)
    me = alice.get("/me").json
    assert (me["status"], me["deletion_scheduled_at"]) == ("deletion_scheduled", due)
    assert AuditKind.deletion_scheduled.value in trail(sql)


def test_sec_29_it_needs_a_recent_proof(alice, advance, parts, sql):
    advance(seconds=parts.settings.step_up_seconds + 1)
    assert alice.delete("/me").status_code in {401, 403}
    assert status_of(sql, alice) == "active"


def test_sec_20_other_sessions_end_and_this_one_stays(alice, leaves):
    phone = alice.signs_in_again()
    assert phone.get("/me").status_code == 200
    leaves(alice)
    assert code_of(phone.get("/me")) == (401, "session_revoked")
    assert alice.get("/me").status_code == 200
    assert alice.post("/auth/refresh", json={"refresh_token": alice.refresh_token}).status_code == 200


def test_api_tokens_stop_and_come_back(alice, leaves, script):
    client = script(alice, "read", "write")
    assert client.get("/projects").status_code == 200
    leaves(alice)
    assert code_of(client.get("/projects")) == (403, "account_deletion_scheduled")
    assert code_of(client.post("/me/restore")) == (403, "forbidden")
    alice.post("/me/restore")
    assert client.get("/projects").status_code == 200


def test_until_restored_only_these_operations_are_open(app, alice, leaves):
    """Every operation of the document but the administrators' own."""
    leaves(alice)
    known = {each.name: each for each in (declared(app, rule.endpoint) for rule in app.url_map.iter_rules())}
    private = [each for each in documented_operations(app) if not each.public]
    assert {each.name for each in private if known[each.name].while_leaving} == OPEN
    for operation in private:
        if operation.name in {"restoreMe", "stepUp"}:
            continue
        body = sound_request(operation)
        answer = alice.open(operation.method, operation.address, **body)
        if operation.name in OPEN:
            assert answer.status_code not in {401, 403}, operation.name
        else:
            assert code_of(answer) == (403, "account_deletion_scheduled"), operation.name
    assert alice.post("/auth/logout", json={}).status_code == 204
    assert code_of(alice.get("/me")) == (401, "session_revoked")


def test_signing_in_stays_possible_and_does_not_undo_it(alice, leaves, anonymous, sql):
    due = leaves(alice)["deletion_scheduled_at"]
    answer = signs_in(anonymous, alice.email)
    assert answer.json["user"]["deletion_scheduled_at"] == due
    assert status_of(sql, alice) == "deletion_scheduled"


def test_the_address_stays_taken_until_then(alice, leaves, anonymous, letters):
    leaves(alice)
    registers(anonymous, alice.email)
    assert "already have" in letters(alice.email)[0].subject


def test_of_many_wishes_at_once_one_counts(alice, app, at_once, sql):
    headers = {"Authorization": f"Bearer {alice.token}"}
    answers = at_once(8, lambda _number: app.test_client().delete("/api/v1/me", headers=headers))
    assert {(answer.status_code, answer.json.get("code")) for answer in answers} <= {
        (202, None),
        (403, "account_deletion_scheduled"),
    }
    told = {answer.json["deletion_scheduled_at"] for answer in answers if answer.status_code == 202}
    assert len(told) == 1
    assert sql("SELECT count(*) FROM account_deletions") == [(1,)]
    assert trail(sql).count(AuditKind.deletion_scheduled.value) == 1
    assert sql("SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'deletion.send_scheduled'") == [
        (1,)
    ]


def test_the_last_administrator_cannot_leave(ada, sql):
    assert code_of(ada.delete("/me")) == (409, "last_administrator")
    assert status_of(sql, ada) == "active"


def test_an_administrator_who_is_leaving_counts_for_nobody(app, ada, leaves):
    other = make_administrator(app, "Grace")
    leaves(ada)
    assert code_of(other.delete("/me")) == (409, "last_administrator")


def test_of_all_administrators_at_once_one_stays(app, ada, at_once, sql):
    people = [ada, *(make_administrator(app, f"Admin{number}") for number in range(4))]
    answers = at_once(
        5,
        lambda number: app.test_client().delete(
            "/api/v1/me", headers={"Authorization": f"Bearer {people[number].token}"}
        ),
    )
    assert sorted(answer.status_code for answer in answers) == [202] * 4 + [409]
    assert sql("SELECT count(*) FROM users WHERE role = 'admin' AND status = 'active'") == [(1,)]


def test_who_owns_projects_of_others_too_cannot_leave(alice, bob, joins, sql):
    shared, own = alice.creates("Shared"), alice.creates("Own")
    joins(bob, shared, "viewer")
    answer = alice.delete("/me")
    assert code_of(answer) == (409, "owns_shared_projects")
    assert answer.json["projects"] == [{"id": str(shared.id), "name": "Shared"}]
    assert str(own.id) not in answer.text
    assert status_of(sql, alice) == "active"
    alice.delete(f"/projects/{shared.id}")
    assert code_of(alice.delete("/me")) == (409, "owns_shared_projects"), (
        "the trash counts: Bob is in it still"
    )
    assert bob.delete("/me").status_code == 202, "a member may leave"


def test_more_than_a_hundred_are_not_listed(alice, bob, plant, sql):
    ids = plant(alice, [f"Project {number}" for number in range(105)])
    sql(
        "INSERT INTO project_members SELECT id, %s, 'viewer', created_at FROM projects WHERE id = ANY(%s::uuid[])",
        (str(bob.user.id), [str(each) for each in ids]),
    )
    assert len(alice.delete("/me").json["projects"]) == 100


@pytest.mark.parametrize("zone", [None, "Asia/Tokyo"])
def test_the_mail_says_when_and_has_the_link(alice, leaves, letters, sql, parts, zone):
    sql("UPDATE users SET time_zone = %s", (zone,))
    leaves(alice)
    mail = letters(alice.email)[0]
    assert mail.kind == "account_deletion"
    assert mail.link == f"{parts.settings.links_base}/restore-account#token={mail.token}"
    assert mail.link in mail.text
    assert ("JST" if zone else "UTC") in mail.text


def test_a_mail_that_comes_too_late_is_not_sent(alice, leaves, letters):
    leaves(alice)
    alice.post("/me/restore")
    assert [mail.kind for mail in letters(alice.email)] == ["security_notice"]


def test_nothing_of_this_is_open_to_strangers(anonymous, app):
    for method, path in (("DELETE", "/me"), ("POST", "/me/restore")):
        assert code_of(anonymous.open(method, path)) == (401, "not_authenticated")
    assert ApiClient(app, "x").delete("/me").status_code == 401
