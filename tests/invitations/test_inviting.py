"""Inviting: one open invitation for an address and project, sent again, taken back, run out."""

from datetime import datetime, timedelta

from tests.fixtures.client import ApiClient
from tests.fixtures.invitations import (
    BOB,
    CLOSED,
    DANA,
    accepts,
    accepts_link,
    asks_to_invite,
    code_of,
    declines,
    invites,
    link_of,
    listed,
    previews,
    resends,
    revokes,
    waiting_for,
)


def at(text):
    return datetime.fromisoformat(text)


def test_alice_invites_dana_who_has_no_account(alice, reef, sql):
    answer = asks_to_invite(alice, reef, DANA, "viewer")
    assert answer.status_code == 201
    told = answer.json
    assert told["project"] == {"id": str(reef.id), "name": "Reef survey"}
    assert (told["email"], told["role"], told["status"]) == (DANA, "viewer", "pending")
    assert told["invited_by"] == {"id": str(alice.user.id), "display_name": "Alice"}
    assert at(told["expires_at"]) - at(told["created_at"]) == timedelta(days=7)
    assert alice.get(f"/projects/{reef.id}/invitations").json["items"] == [told]
    assert sql("SELECT count(*) FROM project_members") == [(1,)], "nobody joins by being invited"


def test_known_and_unknown_addresses_are_answered_and_worked_on_alike(app, alice, bob, count_queries):
    """SEC-12: inviting is no way to find out who has an account."""
    found = []
    invites(alice, alice.creates("Kelp survey"), "warm@example.com")  # what a session costs once in a while
    for email in (BOB, DANA):
        project = alice.creates("Reef survey")
        with count_queries() as statements:
            answer = asks_to_invite(alice, project, email)
        told = {**answer.json, "id": "", "email": "", "created_at": "", "expires_at": "", "project": ""}
        found.append(
            (answer.status_code, sorted(answer.headers.keys()), told, [s.split()[0] for s in statements])
        )
    assert found[0] == found[1]


def test_of_one_address_one_invitation_is_open(alice, reef):
    invitation = invites(alice, reef)
    assert code_of(asks_to_invite(alice, reef, "BOB@Example.com")) == (409, "invitation_pending")
    assert listed(alice, reef) == [(BOB, "pending")]
    assert revokes(alice, reef, invitation).status_code == 204
    invites(alice, reef)
    assert listed(alice, reef) == [(BOB, "pending"), (BOB, "revoked")]


def test_one_address_may_be_invited_to_many_projects(alice, bob, reef):
    invites(alice, reef)
    invites(alice, alice.creates("Kelp survey"))
    assert waiting_for(bob) == ["Kelp survey", "Reef survey"]


def test_a_member_is_not_invited_whatever_the_spelling(alice, bob, reef, joins):
    joins(bob, reef, "viewer")
    assert code_of(asks_to_invite(alice, reef, " Bob@EXAMPLE.com ")) == (409, "already_member")
    assert code_of(asks_to_invite(alice, reef, alice.email)) == (409, "already_member")


def test_an_invitation_that_ran_out_makes_room_for_another(alice, bob, reef, advance):
    old = invites(alice, reef)
    advance(days=7, seconds=1)
    alice, bob = alice.signs_in_again(), bob.signs_in_again()
    assert listed(alice, reef) == [(BOB, "expired")]
    assert waiting_for(bob) == []
    assert code_of(accepts(bob, old)) == CLOSED
    new = invites(alice, reef, role="viewer")
    assert listed(alice, reef) == [(BOB, "pending"), (BOB, "expired")]
    assert code_of(resends(alice, reef, old)) == CLOSED
    assert accepts(bob, new).json["my_role"] == "viewer"


def test_sending_again_begins_anew_and_the_old_link_stays_good(alice, bob, reef, advance, letters):
    invitation = invites(alice, reef)
    first = link_of(letters)
    advance(days=6)
    alice = alice.signs_in_again()
    answer = resends(alice, reef, invitation)
    assert answer.status_code == 202
    assert at(answer.json["expires_at"]) - at(invitation["expires_at"]) >= timedelta(days=6)
    assert len(letters(BOB)) == 2
    assert link_of(letters) == first
    advance(days=6)
    assert previews(ApiClient(bob.app), first).status_code == 200


def test_one_that_ran_out_may_be_sent_again(alice, bob, reef, advance):
    invitation = invites(alice, reef)
    advance(days=8)
    alice, bob = alice.signs_in_again(), bob.signs_in_again()
    assert resends(alice, reef, invitation).json["status"] == "pending"
    assert accepts(bob, invitation).status_code == 200


def test_a_closed_one_is_not_sent_again(alice, bob, reef):
    invitation = invites(alice, reef)
    assert declines(bob, invitation).status_code == 204
    assert code_of(resends(alice, reef, invitation)) == CLOSED
    again = invites(alice, reef)
    assert revokes(alice, reef, again).status_code == 204
    assert code_of(resends(alice, reef, again)) == CLOSED


def test_revoking_ends_the_link_and_twice_is_once(alice, bob, reef, letters, events_of):
    invitation = invites(alice, reef)
    token = link_of(letters)
    for _ in range(2):
        assert revokes(alice, reef, invitation).status_code == 204
    assert [kind for kind, *_ in events_of(reef.id)].count("invitation.revoked") == 1
    assert code_of(accepts(bob, invitation)) == CLOSED
    assert code_of(accepts_link(bob, token)) == CLOSED
    assert code_of(declines(bob, invitation)) == CLOSED
    assert code_of(previews(bob, token)) == CLOSED
    assert waiting_for(bob) == []


def test_what_was_answered_is_not_taken_back(alice, bob, reef, role_in):
    invitation = invites(alice, reef)
    assert accepts(bob, invitation).status_code == 200
    assert code_of(revokes(alice, reef, invitation)) == CLOSED
    assert role_in(reef, bob) == "editor"


def test_a_repeated_key_invites_once(alice, reef, letters):
    once, again = (asks_to_invite(alice, reef, headers={"Idempotency-Key": "a tap"}) for _ in range(2))
    assert again.get_data() == once.get_data()
    assert again.headers["Idempotency-Replayed"] == "true"
    assert listed(alice, reef) == [(BOB, "pending")]
    assert len(letters(BOB)) == 1


def test_a_list_is_paged_the_newest_first(alice, reef):
    for number in range(3):
        invites(alice, reef, f"guest-{number}@example.com")
    address = f"/projects/{reef.id}/invitations?limit=2&include_total=true"
    first = alice.get(address).json
    rest = alice.get(f"{address}&cursor={first['next_cursor']}").json
    found = [each["email"].partition("@")[0] for each in (*first["items"], *rest["items"])]
    assert found == ["guest-2", "guest-1", "guest-0"]
    assert (first["has_more"], first["total"], rest["has_more"]) == (True, 3, False)
    other = alice.creates("Kelp survey")
    stolen = alice.get(f"/projects/{other.id}/invitations?cursor={first['next_cursor']}")
    assert code_of(stolen) == (422, "invalid_cursor")


def test_roles_and_addresses_are_checked(alice, reef):
    assert asks_to_invite(alice, reef, role="owner").json["errors"][0]["code"] == "invalid_choice"
    assert asks_to_invite(alice, reef, "no address").json["errors"][0]["field"] == "email"
    assert listed(alice, reef) == []


def test_a_lists_statements_do_not_grow_with_it(alice, reef, count_queries):
    counts = []
    for number in range(3):
        invites(alice, reef, f"guest-{number}@example.com")
        with count_queries() as statements:
            alice.get(f"/projects/{reef.id}/invitations")
        counts.append(len([each for each in statements if "clock_offset" not in each]))
    assert counts[0] == counts[1] == counts[2] <= 3


def test_events_tell_the_role_and_no_address(alice, bob, reef, events_of, sql):
    invitation = invites(alice, reef)
    resends(alice, reef, invitation)
    accepts(bob, invitation)
    other = invites(alice, reef, DANA, "viewer")
    revokes(alice, reef, other)
    found = [
        (kind, actor, changes) for kind, actor, changes in events_of(reef.id) if kind != "project.created"
    ]
    mine, his = str(alice.user.id), str(bob.user.id)
    assert found == [
        ("invitation.created", mine, {"role": {"before": None, "after": "editor"}}),
        ("invitation.resent", mine, {"role": {"before": "editor", "after": "editor"}}),
        ("member.added", his, {"role": {"before": None, "after": "editor"}}),
        ("invitation.accepted", his, {"role": {"before": None, "after": "editor"}}),
        ("invitation.created", mine, {"role": {"before": None, "after": "viewer"}}),
        ("invitation.revoked", mine, {"role": {"before": "viewer", "after": None}}),
    ]
    subjects = sql("SELECT DISTINCT subject_id FROM events WHERE kind LIKE 'invitation.%%'")
    assert {subject for (subject,) in subjects} == {invitation["id"], other["id"]}
    assert sql("SELECT count(*) FROM events WHERE changes::text LIKE '%%@%%'") == [(0,)]
