"""Of two who decide about one invitation at the same moment one wins, and no request fails for another reason."""

import pytest

from tests.fixtures.client import ApiClient
from tests.fixtures.invitations import (
    BOB,
    CLOSED,
    DANA,
    accepts,
    asks_to_invite,
    code_of,
    declines,
    invites,
    listed,
    resends,
    revokes,
)

ROUNDS = range(6)
EMPTY = (204, None)


def codes(answers):
    """Statuses with their problem codes; an exception is one that no test expects."""
    return [code_of(answer) if hasattr(answer, "status_code") else answer for answer in answers]


def both(at_once, one, other):
    """Two deeds that begin together; their answers."""
    return codes(at_once(2, lambda number: (one, other)[number]()))


def told(answer):
    """200 without a problem code."""
    return answer == (200, None)


@pytest.fixture
def pairs(app, alice, bob):
    """Fresh clients of the two, since one client is no matter of two threads."""
    return lambda: (ApiClient(app, alice.token), ApiClient(app, bob.token))


def test_of_many_invitations_of_one_address_one_is_made(app, alice, reef, at_once, sql):
    answers = codes(at_once(8, lambda _: asks_to_invite(ApiClient(app, alice.token), reef, DANA)))
    assert sorted(answers) == [(201, None)] + [(409, "invitation_pending")] * 7
    assert sql("SELECT count(*) FROM invitations") == [(1,)]


def test_many_acceptances_make_one_member(app, alice, bob, reef, at_once, events_of):
    invitation = invites(alice, reef)
    answers = codes(at_once(8, lambda _: accepts(ApiClient(app, bob.token), invitation)))
    assert answers == [(200, None)] * 8
    kinds = [kind for kind, *_ in events_of(reef.id)]
    assert (kinds.count("member.added"), kinds.count("invitation.accepted")) == (1, 1)


@pytest.mark.parametrize("turn", ROUNDS)
def test_accepting_against_revoking(alice, bob, reef, pairs, at_once, role_in, state_of, turn):
    invitation, (hers, his) = invites(alice, reef), pairs()
    accepted, revoked = both(
        at_once, lambda: accepts(his, invitation), lambda: revokes(hers, reef, invitation)
    )
    if told(accepted):
        assert (revoked, role_in(reef, bob), state_of(invitation["id"])) == (CLOSED, "editor", {"accepted"})
    else:
        assert (accepted, revoked) == (CLOSED, EMPTY)
        assert (role_in(reef, bob), state_of(invitation["id"])) == (None, {"revoked"})


@pytest.mark.parametrize("turn", ROUNDS)
def test_accepting_against_declining(app, alice, bob, reef, at_once, role_in, state_of, turn):
    invitation = invites(alice, reef)
    accepted, declined = both(
        at_once,
        lambda: accepts(ApiClient(app, bob.token), invitation),
        lambda: declines(ApiClient(app, bob.token), invitation),
    )
    if told(accepted):
        assert (declined, role_in(reef, bob), state_of(invitation["id"])) == (CLOSED, "editor", {"accepted"})
    else:
        assert (accepted, declined) == (CLOSED, EMPTY)
        assert (role_in(reef, bob), state_of(invitation["id"])) == (None, {"declined"})


@pytest.mark.parametrize("turn", ROUNDS)
def test_accepting_against_the_trash(alice, bob, reef, pairs, at_once, role_in, turn):
    invitation, (hers, his) = invites(alice, reef), pairs()
    accepted, trashed = both(
        at_once, lambda: accepts(his, invitation), lambda: hers.delete(f"/projects/{reef.id}")
    )
    assert trashed == EMPTY
    assert told(accepted) or accepted == CLOSED
    assert role_in(reef, bob) == ("editor" if told(accepted) else None)


@pytest.mark.parametrize("turn", ROUNDS)
def test_accepting_against_purging(alice, bob, reef, pairs, at_once, sql, turn):
    """The project is restored and purged by turns; whoever accepts joins something that is there, or nothing."""
    invitation, (hers, his) = invites(alice, reef), pairs()
    alice.delete(f"/projects/{reef.id}")
    accepted, purged = both(
        at_once, lambda: accepts(his, invitation), lambda: hers.delete(f"/projects/{reef.id}/permanently")
    )
    assert accepted in {CLOSED, (404, "not_found")}
    assert purged == EMPTY
    assert sql("SELECT count(*) FROM project_members") == [(0,)]
    assert sql("SELECT count(*) FROM invitations") == [(0,)]


@pytest.mark.parametrize("turn", ROUNDS)
def test_accepting_again_against_being_removed(app, alice, bob, reef, parts, at_once, role_in, sql, turn):
    """A retry of a lost answer: it tells the project or that there is nothing any more, and never lets anybody back in."""
    invitation = invites(alice, reef)
    assert accepts(bob, invitation).status_code == 200

    def remove():
        sql(
            "WITH held AS (SELECT id FROM projects WHERE id = %s FOR NO KEY UPDATE)"
            " DELETE FROM project_members WHERE user_id = %s AND project_id IN (SELECT id FROM held)",
            (str(reef.id), str(bob.user.id)),
        )

    again, _ = both(at_once, lambda: accepts(ApiClient(app, bob.token), invitation), remove)
    assert told(again) or again == CLOSED
    assert role_in(reef, bob) is None


@pytest.mark.parametrize("turn", ROUNDS)
def test_accepting_against_the_owners_leaving(alice, bob, reef, pairs, at_once, role_in, turn):
    """Nobody is taken in by a project that goes with its owner, and no owner leaves a project that others are in."""
    invitation, (hers, his) = invites(alice, reef), pairs()
    accepted, left = both(at_once, lambda: accepts(his, invitation), lambda: hers.delete("/me"))
    outcomes = {
        ((200, None), (409, "owns_shared_projects")): "editor",
        (CLOSED, (202, None)): None,
    }
    assert (accepted, left) in outcomes
    assert role_in(reef, bob) == outcomes[accepted, left]


@pytest.mark.parametrize("turn", ROUNDS)
def test_two_who_accept_each_others_invitations_do_not_stand_in_each_others_way(
    alice, bob, pairs, at_once, turn
):
    """Each locks a project and both accounts: always in the same order."""
    for_her = invites(bob, bob.creates("Bob's bay"), alice.email)
    for_him = invites(alice, alice.creates("Alice's reef"), BOB)
    hers, his = pairs()
    answers = both(at_once, lambda: accepts(hers, for_her), lambda: accepts(his, for_him))
    assert answers == [(200, None)] * 2


@pytest.mark.parametrize("turn", ROUNDS)
def test_sending_again_against_accepting(alice, reef, pairs, at_once, turn):
    invitation, (hers, his) = invites(alice, reef), pairs()
    accepted, sent = both(at_once, lambda: accepts(his, invitation), lambda: resends(hers, reef, invitation))
    assert told(accepted)
    assert sent in {CLOSED, (202, None)}
    assert listed(alice, reef) == [(BOB, "accepted")]
