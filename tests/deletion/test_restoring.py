"""Thinking better of it: signed in, or by the mail's link, until the erasing has begun."""

import pytest

from app.core.audit import AuditKind
from tests.fixtures.accounts import code_of
from tests.fixtures.client import ApiClient
from tests.fixtures.people import make_administrator


def restores(client, token):
    return client.post("/auth/restore-account", json={"token": token})


def kinds(sql):
    return [row[0] for row in sql("SELECT kind FROM audit_events ORDER BY created_at, id")]


@pytest.fixture
def link(alice, leaves, letters):
    """Alice is leaving; the token of her mail."""
    leaves(alice)
    return letters(alice.email)[0].token


def test_restoring_gives_everything_back(alice, leaves, letters, sql):
    project = alice.creates()
    leaves(alice)
    answer = alice.post("/me/restore")
    assert answer.status_code == 200
    assert (answer.json["status"], answer.json["deletion_scheduled_at"]) == ("active", None)
    assert "ETag" in answer.headers
    assert alice.get(f"/projects/{project.id}").status_code == 200
    assert kinds(sql)[-1] == AuditKind.account_restored.value
    assert "stays" in letters(alice.email)[0].subject
    assert sql("SELECT * FROM account_deletions") == []


def test_restoring_what_is_not_leaving_changes_nothing(alice, sql):
    before = alice.get("/me").json
    assert alice.post("/me/restore").json == before
    assert kinds(sql) == []


def test_sec_34_the_link_restores_once_and_signs_nobody_in(alice, link, anonymous, sql):
    answer = restores(anonymous, link)
    assert (answer.status_code, answer.get_data()) == (204, b"")
    assert alice.get("/me").json["status"] == "active"
    assert code_of(restores(anonymous, link)) == (410, "token_expired_or_used")
    assert kinds(sql).count(AuditKind.account_restored.value) == 1


def test_sec_34_the_link_of_an_undone_deletion_does_not_undo_the_next(alice, link, leaves, anonymous):
    alice.post("/me/restore")
    leaves(alice)
    assert code_of(restores(anonymous, link)) == (410, "token_expired_or_used")
    assert alice.get("/me").json["status"] == "deletion_scheduled"


@pytest.mark.parametrize(
    "spoil",
    [
        lambda t: t[:-20] + ("B" if t[-20] == "A" else "A") + t[-19:],
        lambda t: t.replace("hfk1", "hfv1"),
        lambda _t: "x",
    ],
)
def test_a_damaged_link_restores_nothing(alice, link, anonymous, spoil):
    assert code_of(restores(anonymous, spoil(link))) == (410, "token_expired_or_used")
    assert alice.get("/me").json["status"] == "deletion_scheduled"


def test_sec_16_links_have_a_budget(alice, link, make_app):
    client = ApiClient(make_app(rate_limit_verify_address="2/300", rate_limit_factor=1.0))
    assert [restores(client, "wrong").status_code for _ in range(3)] == [410, 410, 429]


def test_a_suspended_account_is_not_restored_by_its_link(alice, link, anonymous, sql):
    sql("UPDATE users SET status = 'suspended'")
    assert code_of(restores(anonymous, link)) == (410, "token_expired_or_used")
    assert sql("SELECT status FROM users") == [("suspended",)]


def test_of_many_who_follow_the_link_at_once_one_restores(link, app, at_once, sql):
    answers = at_once(
        8, lambda _number: app.test_client().post("/api/v1/auth/restore-account", json={"token": link})
    )
    assert sorted(answer.status_code for answer in answers) == [204] + [410] * 7
    assert kinds(sql).count(AuditKind.account_restored.value) == 1


def test_after_the_erasing_began_nothing_restores(alice, link, anonymous, sql):
    sql("UPDATE account_deletions SET begun_at = created_at")
    assert code_of(alice.post("/me/restore")) == (409, "write_conflict")
    assert code_of(restores(anonymous, link)) == (410, "token_expired_or_used")


def test_an_administrator_who_lost_the_factors_meanwhile_can_restore(app, ada, leaves):
    """Enrolling is closed to who is leaving, so restoring must be open to who has no factor: else neither is."""
    zoe = make_administrator(app, "Zoe")
    leaves(ada)
    assert zoe.delete(f"/admin/users/{ada.user.id}/mfa").status_code == 204
    ada = ada.signs_in_again()
    assert code_of(ada.post("/me/mfa/totp")) == (403, "account_deletion_scheduled")
    assert ada.post("/me/restore").status_code == 200
    assert code_of(ada.get("/projects")) == (403, "mfa_enrolment_required")


def test_while_the_worker_has_not_begun_it_is_not_too_late(alice, link, anonymous, advance, parts, purge):
    advance(days=parts.settings.deletion_grace_days, hours=1)
    assert restores(anonymous, link).status_code == 204
    assert purge() == 0
