"""Role and status: what they end, what they leave, and that somebody always administers."""

import pytest

from app.core.access import SiteRole
from app.core.access_watch import EARLY
from tests.fixtures.accounts import code_of, refreshes, signs_in
from tests.fixtures.people import make_administrator


def changes(client, person, **wanted):
    return client.patch(f"/admin/users/{person.user.id}", json=wanted)


def test_sec_20_suspending_ends_every_session_at_once(ada, alice, anonymous, trail):
    other = alice.signs_in_again()
    assert alice.get("/me").status_code == other.get("/me").status_code == 200
    answer = changes(ada, alice, status="suspended")
    assert (answer.status_code, answer.json["status"], answer.json["live_sessions"]) == (200, "suspended", 0)
    for person in (alice, other):
        assert person.get("/me").status_code in {401, 403}
        assert refreshes(anonymous, person.refresh_token).status_code == 401
    assert code_of(signs_in(anonymous, alice.email)) == (403, "account_suspended")
    assert code_of(signs_in(anonymous, alice.email, "wrong, wrong, wrong")) == (401, "invalid_credentials")
    assert "account.status_changed" in trail(alice)


def test_sec_20_in_another_process_it_holds_when_that_hears_of_it(make_app, ada, alice, wall):
    elsewhere = alice.signs_in_again(make_app())
    assert elsewhere.get("/me").status_code == 200
    changes(ada, alice, status="suspended")
    wall(EARLY)
    assert elsewhere.get("/me").status_code in {401, 403}


def test_unsuspending_restores(ada, alice, anonymous):
    changes(ada, alice, status="suspended")
    assert changes(ada, alice, status="active").json["status"] == "active"
    assert signs_in(anonymous, alice.email).status_code == 200
    assert alice.get("/me").status_code == 401, "ended sessions stay ended"


def test_unsuspending_an_account_that_was_leaving_lets_it_leave(ada, alice, sql):
    sql(
        "UPDATE users SET status = 'deletion_scheduled', deletion_scheduled_at = now() WHERE id = %s",
        (str(alice.user.id),),
    )
    same = changes(ada, alice, status="active").json
    assert (same["status"], same["version"]) == ("deletion_scheduled", 1)
    assert changes(ada, alice, status="suspended").json["status"] == "suspended"
    back = changes(ada, alice, status="active").json
    assert back["status"] == "deletion_scheduled"
    assert back["deletion_scheduled_at"]


def test_a_new_role_renews_the_access_tokens_and_keeps_the_session(ada, alice, anonymous, letters, trail):
    assert changes(ada, alice, role="admin").json["role"] == "admin"
    assert code_of(alice.get("/me")) == (401, "token_expired")
    renewed = refreshes(anonymous, alice.refresh_token)
    assert (renewed.status_code, renewed.json["user"]["role"]) == (200, "admin")
    alice.token = renewed.json["access_token"]
    assert code_of(alice.get("/admin/users")) == (403, "mfa_enrolment_required")
    assert letters(alice.email)[0].subject == "Your role at Holdfast was changed"
    assert trail(alice)[-1] == "account.role_changed"


def test_an_administrator_no_more(ada, grace):
    assert changes(ada, grace, role="user").status_code == 200
    assert code_of(grace.get("/admin/users")) == (401, "token_expired")


def test_what_is_so_already_is_no_edit(ada, alice, letters, trail):
    before = trail(alice)
    answer = changes(ada, alice, role="user", status="active")
    assert (answer.status_code, answer.json["version"]) == (200, 1)
    assert trail(alice) == before
    assert letters(alice.email) == []
    assert alice.get("/me").status_code == 200


def test_sec_51_an_edit_of_something_older_is_refused(ada, alice):
    tag = ada.get(f"/admin/users/{alice.user.id}").headers["ETag"]
    assert alice.patch("/me", json={"display_name": "Alicia"}).status_code == 200
    refused = ada.patch(f"/admin/users/{alice.user.id}", json={"role": "admin"}, headers={"If-Match": tag})
    assert code_of(refused) == (412, "version_conflict")
    assert (refused.json["current"]["display_name"], refused.json["current"]["role"]) == ("Alicia", "user")


def test_fields_that_are_not_role_or_status(ada, alice):
    for body in (
        {"email": "a@b.example"},
        {"status": "deletion_scheduled"},
        {"role": "owner"},
        {"role": None},
    ):
        assert code_of(changes(ada, alice, **body)) == (422, "validation_failed")


def test_the_last_administrator_stays_one(ada, alice):
    """Somebody who administers and is suspended, or is leaving, cannot act, and so does not count."""
    for wanted in ({"role": "user"}, {"status": "suspended"}, {"role": "user", "status": "suspended"}):
        assert code_of(changes(ada, ada, **wanted)) == (409, "last_administrator")
    assert ada.get("/admin/stats").status_code == 200


def test_a_suspended_administrator_does_not_count(ada, grace):
    assert changes(ada, grace, status="suspended").status_code == 200
    assert code_of(changes(ada, ada, role="user")) == (409, "last_administrator")
    assert changes(ada, grace, role="user").status_code == 200, "taking it from them takes nobody away"


def test_with_another_one_left_they_may_lower_themselves(ada, grace):
    assert changes(ada, ada, role="user").status_code == 200
    assert code_of(changes(grace, grace, role="user")) == (409, "last_administrator")


def administrators_left(sql):
    return sql("SELECT count(*) FROM users WHERE role = 'admin' AND status = 'active'")[0][0]


def test_sec_42_twenty_at_once_leave_one(app, at_once, sql):
    """Each takes the role from the next one, in a ring."""
    ring = [make_administrator(app, f"Admin{number}") for number in range(20)]
    answers = at_once(20, lambda number: changes(ring[number], ring[(number + 1) % 20], role="user"))
    assert {code_of(each)[0] for each in answers} <= {200, 401, 403, 409, 503}
    assert administrators_left(sql) >= 1
    assert administrators_left(sql) == 20 - sum(each.status_code == 200 for each in answers)


def test_sec_42_twenty_who_resign_at_once_leave_one(app, at_once, sql):
    people = [make_administrator(app, f"Admin{number}") for number in range(20)]
    answers = [
        code_of(each)
        for each in at_once(20, lambda number: changes(people[number], people[number], role="user"))
    ]
    assert sorted(answers) == [(200, None)] * 19 + [(409, "last_administrator")]
    assert administrators_left(sql) == 1


@pytest.mark.parametrize("time", range(5))
def test_sec_42_of_two_who_suspend_each_other_one_wins(app, at_once, sql, time):
    pair = [make_administrator(app, f"{name}{time}") for name in ("Left", "Right")]
    answers = at_once(2, lambda number: changes(pair[number], pair[1 - number], status="suspended"))
    assert sorted(each.status_code == 200 for each in answers) == [False, True]
    assert administrators_left(sql) == 1


def test_a_role_is_never_taken_by_a_token_of_before(ada, grace, parts, sql):
    """The token and what is remembered of the session may be a moment old; the row is not."""
    assert grace.get("/admin/stats").status_code == 200
    sql("UPDATE users SET role = %s WHERE id = %s", (SiteRole.user.value, str(grace.user.id)))
    assert code_of(changes(grace, ada, role="user")) == (403, "forbidden")


def test_sec_20_a_suspended_accounts_api_tokens_stop_at_once_and_come_back(ada, alice, script):
    mine = script(alice, "read")
    assert mine.get("/me").status_code == 200
    changes(ada, alice, status="suspended")
    assert code_of(mine.get("/me")) == (403, "account_suspended")
    changes(ada, alice, status="active")
    assert mine.get("/me").status_code == 200
