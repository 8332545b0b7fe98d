"""SEC-20: an access token dies with its session, within a second, in every process, whatever Redis does."""

import time

import pytest

from app.core.access import AccountStatus
from tests.fixtures.accounts import asks_who_it_is, code_of, refreshes, sees_the_clock
from tests.fixtures.client import ApiClient

NOWHERE = "redis://127.0.0.1:1/0"
ENDED = (401, "session_revoked")
SUSPENDED = (403, "account_suspended")


def refused_within_a_second(client, tokens):
    """Ask until every token is refused; the answers, and how long the last of them was still taken.

    Args:
        client: of the process that must learn of it.
        tokens: access tokens that it takes, or did a moment ago.
    """
    started, last_taken = time.monotonic(), 0.0
    answers = dict.fromkeys(tokens)
    while None in answers.values():
        assert time.monotonic() - started < 5, "a token is still taken after five seconds"
        for token in [token for token, answer in answers.items() if answer is None]:
            asked = time.monotonic()
            answer = asks_who_it_is(client, token)
            if answer.status_code == 200:
                last_taken = asked - started
            else:
                answers[token] = code_of(answer)
    return list(answers.values()), last_taken


def takes(client, people):
    """Every token is good there, and the process remembers so."""
    for person in people:
        assert asks_who_it_is(client, person.token).status_code == 200


@pytest.fixture
def wide(make_app):
    """Another process with room for many requests."""
    return lambda **overrides: make_app(rate_limit_reads="1000000/60", **overrides)


def test_sec_20_every_way_of_ending_a_session_reaches_the_other_process(
    app, anonymous, alice, bob, charlie, ada, wide, sql, advance
):
    other = ApiClient(wide())
    signed_out, revoked, of_others, reused, suspended = (
        alice, alice.signs_in_again(), bob, charlie, ada,
    )  # fmt: skip
    stays, revoker = bob.signs_in_again(), alice.signs_in_again()
    successor = refreshes(anonymous, reused.refresh_token).json
    reused.token = successor["access_token"]
    people = [signed_out, revoked, of_others, reused, suspended]
    takes(other, [*people, stays])
    advance(seconds=11)
    sees_the_clock(other.app)
    takes(other, [*people, stays])
    anonymous.post("/auth/logout", json={"refresh_token": signed_out.refresh_token})
    revoker.delete(f"/auth/sessions/{revoked.session_id}")
    stays.delete("/auth/sessions")
    assert code_of(refreshes(anonymous, reused.refresh_token)) == (401, "refresh_reused")
    sql("UPDATE users SET status = %s WHERE id = %s", (AccountStatus.suspended.value, str(suspended.user.id)))
    answers, last_taken = refused_within_a_second(other, [person.token for person in people])
    assert answers == [ENDED] * 4 + [SUSPENDED]
    assert last_taken <= 1.0
    assert asks_who_it_is(other, stays.token).status_code == 200


@pytest.mark.parametrize(
    ("here", "there"), [(None, None), (NOWHERE, NOWHERE), (NOWHERE, None), (None, NOWHERE)],
    ids=["redis for both", "redis stopped", "the one who revokes is cut off", "the other is cut off"],
)  # fmt: skip
def test_sec_20_with_redis_for_both_for_none_and_for_one_alone(wide, alice, redis_client, here, there):
    """Three processes: the revoker's own, and two others."""
    first, second, third = (
        ApiClient(wide(**({"redis_url": url} if url else {}))) for url in (here, there, None)
    )
    ending = alice.signs_in_again()
    for client in (first, second, third):
        takes(client, [ending, alice])
    answer = first.delete(
        f"/auth/sessions/{ending.session_id}", headers={"Authorization": f"Bearer {alice.token}"}
    )
    assert answer.status_code == 204
    assert code_of(asks_who_it_is(first, ending.token)) == ENDED
    for client in (second, third):
        answers, last_taken = refused_within_a_second(client, [ending.token])
        assert answers == [ENDED]
        assert last_taken <= 1.0
        assert asks_who_it_is(client, alice.token).status_code == 200


def test_sec_20_in_the_same_process_it_is_the_very_next_request(alice):
    other = alice.signs_in_again()
    for _ in range(3):
        assert other.get("/me").status_code == 200
    alice.delete("/auth/sessions")
    assert code_of(other.get("/me")) == ENDED


def test_sec_20_without_any_cache_it_is_the_very_next_request_everywhere(wide, alice):
    client = ApiClient(wide(redis_url=NOWHERE, cache_enabled=False))
    assert asks_who_it_is(client, alice.token).status_code == 200
    alice.delete(f"/auth/sessions/{alice.session_id}")
    assert code_of(asks_who_it_is(client, alice.token)) == ENDED


def test_sec_20_without_redis_and_postgresql_a_good_token_is_not_believed(wide, alice):
    nowhere = "postgresql+psycopg2://nobody@127.0.0.1:1/nothing"
    client = ApiClient(wide(redis_url=NOWHERE, database_url=nowhere))
    assert code_of(asks_who_it_is(client, alice.token)) == (503, "database_unavailable")
