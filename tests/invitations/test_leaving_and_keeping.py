"""What is left of invitations: swept after a while, in a copy of one's data, forgotten with an account."""

from app.deletion.purge import AccountPurge
from tests.exports.conftest import asks, gets
from tests.fixtures.invitations import BOB, DANA, accepts, declines, invites, listed, revokes

__all__ = ["asks", "gets"]


def test_closed_ones_are_kept_for_a_month_open_ones_as_long_as_they_stand(
    alice, bob, reef, parts, run_jobs, advance, sql
):
    accepted = invites(alice, reef)
    accepts(bob, accepted)
    revoked = invites(alice, reef, DANA)
    revokes(alice, reef, revoked)
    waits = invites(alice, reef, "erin@example.com")

    def sweep():
        parts.jobs.defer_now("invitations.sweep")
        run_jobs()
        return {row[0] for row in sql("SELECT id FROM invitations")}

    advance(days=29, hours=23)
    assert sweep() == {accepted["id"], revoked["id"], waits["id"]}
    advance(hours=1, seconds=30)
    assert sweep() == {waits["id"]}, "it ran out a week later"
    advance(days=7)
    assert sweep() == set()


def test_a_copy_of_bobs_data_tells_what_he_is_invited_to(alice, bob, charlie, reef, gets):
    invitation = invites(alice, reef)
    answered = alice.creates("Kelp survey")
    declines(bob, invites(alice, answered))
    invites(charlie, charlie.creates("Bay watch"), DANA)
    invites(bob, bob.creates("Bob's bay"), DANA)
    files = gets(bob)
    [told] = files["invitations.json"]["items"]
    assert told == {
        "id": invitation["id"], "email": BOB, "role": "editor", "created_at": invitation["created_at"],
        "expires_at": invitation["expires_at"], "project_name": "Reef survey", "invited_by": "Alice",
    }  # fmt: skip
    assert DANA not in str(files), "nobody else's address"


def test_an_erased_account_is_not_invited_any_more_and_invited_nobody(
    alice, bob, charlie, reef, joins, parts, advance, sql
):
    joins(bob, reef, "admin")
    invites(charlie, charlie.creates("Bay watch"))
    sent = invites(bob, reef, DANA)
    assert bob.delete("/me").status_code == 202
    advance(days=parts.settings.deletion_grace_days, seconds=1)
    assert parts.services[AccountPurge].run() == 1
    assert sql("SELECT id, email, invited_by FROM invitations") == [(sent["id"], DANA, None)]
    assert listed(alice.signs_in_again(), reef) == [(DANA, "expired")]


def test_a_project_takes_its_invitations_along(alice, reef, sql):
    invites(alice, reef)
    alice.delete(f"/projects/{reef.id}")
    alice.delete(f"/projects/{reef.id}/permanently")
    assert sql("SELECT count(*) FROM invitations") == [(0,)]
