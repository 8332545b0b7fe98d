"""The mail of an invitation, and how many of them there may be."""

import pytest

from app.invitations.inviting import SEND
from tests.fixtures.accounts import coming_from, is_refused_for_now, sees_the_clock
from tests.fixtures.client import ApiClient
from tests.fixtures.invitations import (
    BOB,
    DANA,
    accepts,
    asks_to_invite,
    code_of,
    declines,
    invites,
    link_of,
    resends,
    revokes,
)


def test_the_mail_says_who_invites_to_what_and_until_when(alice, reef, letters, settings):
    invites(alice, reef, DANA, "viewer")
    [mail] = letters(DANA)
    assert mail.subject == "You are invited to a project in Holdfast"
    for words in ("Alice", "Reef survey", "viewer", " UTC"):
        assert words in mail.text
        assert words in mail.html
    assert mail.link == f"http://localhost:8000/accept-invitation#token={mail.token}"
    assert alice.email not in mail.text + mail.html, "whose address it is, is no matter of a stranger"
    assert mail.code is None


def test_the_mail_is_the_same_with_and_without_an_account(alice, bob, reef, letters):
    for email in (BOB, DANA):
        invites(alice, reef, email)
    his, hers = (letters(email)[0] for email in (BOB, DANA))
    assert his.text.replace(his.token, "").replace(BOB, "") == hers.text.replace(hers.token, "").replace(
        DANA, ""
    )


def test_a_name_is_spoken_and_no_advertisement(app, alice, letters):
    """Whoever invites chooses two names: neither makes a link, markup or lines in a stranger's mail."""
    alice.patch("/me", json={"display_name": "You won https://evil.example/now"})
    project = alice.creates("<a href='https://evil.example'>Click</a> evil.example")
    invites(alice, project, DANA)
    [mail] = letters(DANA)
    assert "https://evil" not in mail.text + mail.html
    assert "evil.example" not in mail.text + mail.html
    assert "<a href='" not in mail.html


def test_a_job_holds_ids_only(alice, reef, sql):
    invitation = invites(alice, reef, DANA)
    [(arguments,)] = sql("SELECT args FROM procrastinate_jobs WHERE task_name = %s", (SEND,))
    assert {name: arguments[name] for name in ("invitation_id", "mail")} == {
        "invitation_id": invitation["id"],
        "mail": 1,
    }
    assert DANA not in str(arguments)


@pytest.mark.parametrize("end", ["revoked", "declined", "accepted", "resent", "trashed", "expired"])
def test_no_mail_goes_out_for_what_is_over(parts, alice, bob, reef, letters, advance, end):
    invitation = invites(alice, reef)
    {
        "revoked": lambda: revokes(alice, reef, invitation),
        "declined": lambda: declines(bob, invitation),
        "accepted": lambda: accepts(bob, invitation),
        "resent": lambda: resends(alice, reef, invitation),
        "trashed": lambda: alice.delete(f"/projects/{reef.id}"),
        "expired": lambda: advance(days=8),
    }[end]()
    assert len(letters(BOB)) == (1 if end == "resent" else 0)


def test_one_address_is_sent_a_few_mails_a_day_whoever_invites(alice, bob, charlie, reef):
    """Five a day, over all projects and spellings; a resent one counts."""
    invitation = invites(alice, reef, DANA)
    for _ in range(2):
        assert resends(alice, reef, invitation).status_code == 202
    for number in range(2):
        invites(charlie, charlie.creates(f"Survey {number}"), "dana@EXAMPLE.com")
    is_refused_for_now(asks_to_invite(bob, bob.creates(), DANA), "invitation-mail")
    is_refused_for_now(resends(alice, reef, invitation), "invitation-mail")
    invites(bob, bob.creates(), "erin@example.com")


def test_who_may_not_invite_does_not_use_up_what_an_address_is_sent(alice, charlie, reef):
    for _ in range(10):
        assert code_of(asks_to_invite(charlie, reef, DANA)) == (404, "not_found")
    invites(alice, reef, DANA)
    for _ in range(10):
        assert code_of(asks_to_invite(alice, reef, DANA)) == (409, "invitation_pending")
    assert invites(alice, alice.creates(), DANA)


@pytest.mark.parametrize(
    ("setting", "budget"),
    [("rate_limit_invite_account", "invite-account"), ("rate_limit_invite_address", "invite-address")],
)
def test_accounts_and_networks_have_a_budget(make_app, alice, reef, setting, budget, advance):
    app = make_app(**{setting: "2/3600"})
    hers = ApiClient(app, alice.token)
    for number in range(2):
        assert asks_to_invite(hers, reef, f"guest-{number}@example.com").status_code == 201
    is_refused_for_now(asks_to_invite(hers, reef, DANA), budget)
    elsewhere = asks_to_invite(hers, reef, DANA, **coming_from("198.51.100.77"))
    assert elsewhere.status_code == (429 if budget == "invite-account" else 201)
    advance(hours=1, seconds=1)
    sees_the_clock(app)
    again = ApiClient(app, alice.signs_in_again(app).token)
    assert asks_to_invite(again, reef, "erin@example.com").status_code == 201


def test_a_mail_whose_invitation_is_gone_is_not_sent(parts, alice, reef, letters, sql):
    invites(alice, reef, DANA)
    sql("DELETE FROM invitations")
    assert letters(DANA) == []


def test_every_mail_has_the_same_link(alice, reef, letters):
    """A link is computed from the id: an old mail is as good as the newest."""
    invitation = invites(alice, reef, DANA)
    first = link_of(letters, DANA)
    resends(alice, reef, invitation)
    assert link_of(letters, DANA) == first
