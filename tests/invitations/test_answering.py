"""Being invited: looked at without signing in, accepted or declined by the account that has the address."""

import pytest

from tests.fixtures.invitations import (
    BOB,
    CLOSED,
    DANA,
    accepts,
    accepts_link,
    code_of,
    declines,
    invites,
    link_of,
    listed,
    previews,
    revokes,
    waiting_for,
)
from tests.fixtures.projects import NO_SUCH_ID

SAME = {"X-Request-ID": "same-for-both"}


def test_anybody_with_the_link_sees_who_invites_to_what_and_nothing_changes(
    alice, bob, anonymous, reef, letters, sql
):
    invitation = invites(alice, reef)
    token = link_of(letters)
    before = sql("SELECT * FROM invitations")
    for client in (anonymous, bob, anonymous):
        told = previews(client, token)
        assert told.status_code == 200
        assert told.json == {
            "email": BOB, "role": "editor", "project_name": "Reef survey", "invited_by": {"display_name": "Alice"},
            "expires_at": invitation["expires_at"],
        }  # fmt: skip
    assert sql("SELECT * FROM invitations") == before


@pytest.mark.parametrize(
    "token", ["nonsense", "hfi1.k1.AZelsHweemCcLz87ihwKAg.c2lnbmF0dXJl", "hfv1.k1.AaBb.CcDd"]
)
def test_a_link_that_is_none_is_a_closed_one(anonymous, bob, token):
    assert code_of(previews(anonymous, token)) == CLOSED
    assert code_of(accepts_link(bob, token)) == CLOSED


def test_links_of_other_mails_are_no_invitations(parts, alice, bob, reef, letters):
    """Each purpose has its own key: a token of one is nothing to another."""
    invites(alice, reef)
    token = link_of(letters)
    assert token.startswith("hfi1.")
    for prefix in ("hfv1", "hfp1", "hfe1"):
        assert code_of(previews(bob, token.replace("hfi1", prefix, 1))) == CLOSED
    assert code_of(bob.post("/auth/verify-email", json={"token": token})) == (410, "token_expired_or_used")


def test_bob_finds_the_invitation_and_accepts(alice, bob, reef, role_in):
    invitation = invites(alice, reef)
    assert bob.get(f"/projects/{reef.id}").status_code == 404
    [mine] = bob.get("/invitations").json["items"]
    assert mine == invitation
    joined = accepts(bob, mine)
    assert joined.status_code == 200
    assert joined.json == bob.get(f"/projects/{reef.id}").json
    assert joined.headers["ETag"] == bob.get(f"/projects/{reef.id}").headers["ETag"]
    assert (joined.json["my_role"], role_in(reef, bob)) == ("editor", "editor")
    assert waiting_for(bob) == []
    assert listed(alice, reef) == [(BOB, "accepted")]


def test_a_lost_answer_may_be_asked_for_again(alice, bob, reef, letters, events_of):
    invitation = invites(alice, reef)
    token = link_of(letters)
    first = accepts(bob, invitation)
    for again in (accepts(bob, invitation), accepts_link(bob, token)):
        assert (again.status_code, again.json) == (200, first.json)
    assert [kind for kind, *_ in events_of(reef.id)].count("member.added") == 1


def test_who_was_removed_does_not_come_back_by_the_same_invitation(alice, bob, reef, sql):
    invitation = invites(alice, reef)
    assert accepts(bob, invitation).status_code == 200
    sql("DELETE FROM project_members WHERE user_id = %s", (str(bob.user.id),))
    assert code_of(accepts(bob, invitation)) == CLOSED


def test_for_others_an_invitation_does_not_exist(alice, bob, charlie, reef):
    """SEC-39: the same bytes as for a missing id."""
    invitation = invites(alice, reef)
    for verb in ("accept", "decline"):
        told, missing = (
            charlie.post(f"/invitations/{identifier}/{verb}", headers=SAME)
            for identifier in (invitation["id"], NO_SUCH_ID)
        )
        assert told.status_code == 404
        assert told.get_data() == missing.get_data()
    assert waiting_for(charlie) == []
    assert code_of(accepts(alice, invitation)) == (404, "not_found"), "nor for who sent it"
    assert accepts(bob, invitation).status_code == 200


def test_a_forwarded_link_opens_nothing_for_another_account(alice, charlie, reef, letters, role_in):
    invites(alice, reef)
    refused = accepts_link(charlie, link_of(letters))
    assert code_of(refused) == (403, "invitation_email_mismatch")
    assert "Reef" not in refused.text
    assert BOB not in refused.text
    assert role_in(reef, charlie) is None


def test_the_address_counts_not_its_spelling(alice, bob, reef, letters):
    invites(alice, reef, "BoB@EXAMPLE.com")
    assert accepts_link(bob, link_of(letters, "BoB@EXAMPLE.com")).status_code == 200


def test_an_invitation_belongs_to_the_address_not_to_the_account(alice, bob, reef, sql):
    """Another address closes nothing: whoever proves the invited one may accept."""
    invitation = invites(alice, reef)
    sql(
        "UPDATE users SET email = 'bob@reef.example', email_key = 'bob@reef.example' WHERE email = %s", (BOB,)
    )
    assert waiting_for(bob) == []
    assert code_of(accepts(bob, invitation)) == (404, "not_found")
    assert listed(alice, reef) == [(BOB, "pending")]
    invites(alice, reef, "bob@reef.example", "viewer")
    assert waiting_for(bob) == ["Reef survey"]


def test_declining_is_final_and_twice_is_once(alice, bob, reef, events_of):
    invitation = invites(alice, reef)
    for _ in range(2):
        assert declines(bob, invitation).status_code == 204
    assert code_of(accepts(bob, invitation)) == CLOSED
    assert code_of(revokes(alice, reef, invitation)) == CLOSED
    assert listed(alice, reef) == [(BOB, "declined")]
    assert [kind for kind, *_ in events_of(reef.id)].count("invitation.declined") == 1
    assert accepts(bob, invites(alice, reef)).status_code == 200


def test_what_was_accepted_is_not_declined(alice, bob, reef, role_in):
    invitation = invites(alice, reef)
    accepts(bob, invitation)
    assert code_of(declines(bob, invitation)) == CLOSED
    assert role_in(reef, bob) == "editor"


def test_who_belongs_by_other_means_is_told(alice, bob, reef, joins, role_in):
    invitation = invites(alice, reef)
    joins(bob, reef, "viewer")
    assert code_of(accepts(bob, invitation)) == (409, "already_member")
    assert role_in(reef, bob) == "viewer"


def test_an_archived_project_waits(alice, bob, reef, letters, role_in):
    invitation = invites(alice, reef)
    alice.post(f"/projects/{reef.id}/archive")
    for answer in (accepts(bob, invitation), accepts_link(bob, link_of(letters))):
        assert code_of(answer) == (409, "project_archived")
    assert role_in(reef, bob) is None
    alice.post(f"/projects/{reef.id}/unarchive")
    assert accepts(bob, invitation).status_code == 200


def test_a_project_in_the_trash_is_not_told_of(alice, bob, anonymous, reef, letters):
    invitation = invites(alice, reef)
    token = link_of(letters)
    alice.delete(f"/projects/{reef.id}")
    assert waiting_for(bob) == []
    for answer in (previews(anonymous, token), accepts(bob, invitation), accepts_link(bob, token)):
        assert code_of(answer) == CLOSED
        assert "Reef" not in answer.text
    alice.post(f"/projects/{reef.id}/restore")
    assert waiting_for(bob) == ["Reef survey"]
    assert accepts(bob, invitation).status_code == 200


def test_nobody_joins_what_goes_with_its_owner(alice, bob, anonymous, reef, letters):
    invitation = invites(alice, reef)
    token = link_of(letters)
    assert alice.delete("/me").status_code == 202
    assert waiting_for(bob) == []
    for answer in (previews(anonymous, token), accepts(bob, invitation), accepts_link(bob, token)):
        assert code_of(answer) == CLOSED
    assert alice.post("/me/restore").status_code == 200
    assert accepts(bob, invitation).status_code == 200


def test_mine_are_paged_with_cursors_of_my_own(alice, bob, charlie):
    for number in range(3):
        invites(alice, alice.creates(f"Survey {number}"))
    first = bob.get("/invitations?limit=2").json
    rest = bob.get(f"/invitations?limit=2&cursor={first['next_cursor']}").json
    names = [each["project"]["name"] for each in (*first["items"], *rest["items"])]
    assert names == ["Survey 2", "Survey 1", "Survey 0"]
    assert code_of(charlie.get(f"/invitations?cursor={first['next_cursor']}")) == (422, "invalid_cursor")


def test_who_leaves_answers_nothing(alice, bob, reef, role_in):
    invitation = invites(alice, reef)
    bob.delete("/me")
    assert code_of(accepts(bob, invitation)) == (403, "account_deletion_scheduled")
    assert role_in(reef, bob) is None


def test_a_token_for_scripts_accepts_when_it_may_write(alice, bob, reef):
    invitation = invites(alice, reef)
    made = bob.post("/me/tokens", json={"name": "reader", "scopes": ["read"]}).json["token"]
    as_reader = {"Authorization": f"Bearer {made}"}
    assert bob.get("/invitations", headers=as_reader).json["items"][0]["id"] == invitation["id"]
    refused = bob.post(f"/invitations/{invitation['id']}/accept", headers=as_reader)
    assert code_of(refused) == (403, "token_scope_insufficient")


def test_an_erased_inviter_has_no_name(alice, bob, charlie, reef, joins, letters, sql):
    joins(charlie, reef, "admin")
    invites(charlie, reef)
    token = link_of(letters)
    sql("DELETE FROM users WHERE id = %s", (str(charlie.user.id),))
    assert previews(bob, token).json["invited_by"] is None
    [mine] = bob.get("/invitations").json["items"]
    assert mine["invited_by"] is None
    assert accepts(bob, mine).status_code == 200


def test_unknown_fields_are_refused(bob, anonymous):
    for client, path in ((bob, "/invitations/accept"), (anonymous, "/invitations/preview")):
        answer = client.post(path, json={"token": "hfi1.a.b.c", "role": "admin", "email": DANA})
        assert {fault["field"] for fault in answer.json["errors"]} == {"role", "email"}
