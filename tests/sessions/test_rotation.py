"""SEC-18: a refresh token is replaced at each use; an answer that got lost costs nothing, a copy ends the session."""

import pytest

from tests.fixtures.accounts import asks_who_it_is, code_of, refreshes
from tests.fixtures.client import ApiClient

REUSED = (401, "refresh_reused")
ENDED = (401, "session_revoked")


def successor(client, token):
    """The whole answer of a refresh that must succeed."""
    response = refreshes(client, token)
    assert response.status_code == 200, response.json
    return response.json


@pytest.fixture
def first(alice):
    return alice.refresh_token


def state_of_session(sql):
    [row] = sql("SELECT counter, seen_generation, revoked_reason FROM sessions")
    return row


def test_a_refresh_gives_new_tokens_for_the_same_session(anonymous, alice, first):
    response = refreshes(anonymous, first)
    answer = response.json
    assert answer["refresh_token"] != first
    assert answer["access_token"] != alice.token
    assert answer["session_id"] == str(alice.session_id)
    assert answer["user"] == alice.get("/me").json
    assert response.headers["Cache-Control"] == "no-store"
    assert asks_who_it_is(anonymous, answer["access_token"]).status_code == 200


def test_a_suspended_account_gets_no_new_tokens(anonymous, first, sql):
    sql("UPDATE users SET status = 'suspended'")
    assert code_of(refreshes(anonymous, first)) == (401, "refresh_invalid")
    assert state_of_session(sql)[0] == 1


def test_sec_18_a_twenty_at_once_get_one_successor(app, first, at_once, sql):
    answers = at_once(20, lambda _number: refreshes(ApiClient(app), first))
    assert [answer.status_code for answer in answers] == [200] * 20
    successors = {answer.json["refresh_token"] for answer in answers}
    assert len(successors) == 1
    assert state_of_session(sql)[0] == 2
    assert sql("SELECT count(*) FROM events WHERE kind = 'session.refreshed'") == [(1,)]
    assert refreshes(ApiClient(app), successors.pop()).status_code == 200


def test_sec_18_b_the_parent_after_the_grace_gets_the_same_successor_while_that_is_unused(
    anonymous, first, advance
):
    lost = successor(anonymous, first)
    for seconds in (60, 3600):
        advance(seconds=seconds)
        again = successor(anonymous, first)
        assert again["refresh_token"] == lost["refresh_token"]
    assert successor(anonymous, again["refresh_token"])["refresh_token"] != again["refresh_token"]


def test_sec_18_the_parent_within_the_grace_gets_the_same_successor_even_when_that_was_used(
    anonymous, first, advance
):
    answer = successor(anonymous, first)
    assert asks_who_it_is(anonymous, answer["access_token"]).status_code == 200
    advance(seconds=8)
    assert successor(anonymous, first)["refresh_token"] == answer["refresh_token"]


@pytest.mark.parametrize("used", ["refresh token", "access token"])
def test_sec_18_c_the_parent_after_the_successor_was_seen_ends_the_session(
    anonymous, alice, bob, first, advance, letters, sql, used
):
    answer = successor(anonymous, first)
    newest = answer
    if used == "access token":
        assert asks_who_it_is(anonymous, answer["access_token"]).status_code == 200
    else:
        newest = successor(anonymous, answer["refresh_token"])
    advance(seconds=11)
    assert code_of(refreshes(anonymous, first)) == REUSED
    for token in (first, answer["refresh_token"], newest["refresh_token"]):
        assert code_of(refreshes(anonymous, token)) == REUSED
    for token in (alice.token, answer["access_token"], newest["access_token"]):
        assert code_of(asks_who_it_is(anonymous, token)) == ENDED
    assert sql("SELECT user_id::text, ip FROM audit_events WHERE kind = 'refresh.reused'") == [
        (str(alice.user.id), "127.0.0.0")
    ]
    [mail] = letters("alice@example.com")
    assert mail.kind == "session_reused"
    assert (mail.token, mail.code) == (None, None)
    assert bob.get("/me").status_code == 200


def test_sec_18_c_other_sessions_of_the_same_person_stay(anonymous, alice, first, advance):
    other = alice.signs_in_again()
    asks_who_it_is(anonymous, successor(anonymous, first)["access_token"])
    advance(seconds=11)
    assert code_of(refreshes(anonymous, first)) == REUSED
    assert other.get("/me").status_code == 200
    assert refreshes(anonymous, other.refresh_token).status_code == 200


def test_sec_18_d_the_grandparent_ends_the_session_even_inside_the_grace(anonymous, first, sql):
    second = successor(anonymous, first)
    third = successor(anonymous, second["refresh_token"])
    assert code_of(refreshes(anonymous, first)) == REUSED
    assert code_of(refreshes(anonymous, third["refresh_token"])) == REUSED
    assert code_of(asks_who_it_is(anonymous, third["access_token"])) == ENDED
    assert state_of_session(sql)[2] == "reused"


def test_sec_18_e_a_token_ahead_of_its_row_moves_the_row_forward(anonymous, alice, first, advance, sql):
    """The database was restored: the client is ahead of it, and keeps its session."""
    tokens = [first]
    for _ in range(5):
        tokens.append(successor(anonymous, tokens[-1])["refresh_token"])
    sql("UPDATE sessions SET counter = 2, seen_generation = 1")
    after = successor(anonymous, tokens[5])
    assert after["refresh_token"] not in tokens
    assert state_of_session(sql) == (7, 6, None)
    assert sql("SELECT count(*) FROM audit_events WHERE kind = 'refresh.counter_moved_forward'") == [(1,)]
    assert asks_who_it_is(anonymous, after["access_token"]).status_code == 200
    assert successor(anonymous, after["refresh_token"])["refresh_token"] not in tokens
    assert code_of(refreshes(anonymous, tokens[1])) == REUSED


def test_sec_18_seen_is_recorded_in_postgresql_at_a_generations_first_request_and_never_again(
    anonymous, alice, first, count_queries, sql, redis_client
):
    access_token = successor(anonymous, first)["access_token"]
    assert state_of_session(sql)[:2] == (2, 1)
    marks = []
    for _ in range(2):
        with count_queries() as statements:
            assert asks_who_it_is(anonymous, access_token).status_code == 200
        marks.append(sum(statement.startswith("UPDATE sessions") for statement in statements))
    assert marks == [1, 0]
    assert state_of_session(sql)[:2] == (2, 2)


def test_sec_18_what_was_seen_outlives_redis_and_the_process(
    make_app, anonymous, first, advance, redis_client
):
    asks_who_it_is(anonymous, successor(anonymous, first)["access_token"])
    redis_client.flushdb()
    advance(seconds=11)
    assert code_of(refreshes(ApiClient(make_app()), first)) == REUSED


def test_sec_18_an_access_token_of_the_parents_generation_does_not_mark_the_successor(
    anonymous, alice, first, advance
):
    lost = successor(anonymous, first)
    assert alice.get("/me").status_code == 200
    advance(seconds=60)
    assert successor(anonymous, first)["refresh_token"] == lost["refresh_token"]


def test_access_tokens_of_older_generations_live_out_their_minutes(anonymous, alice, first, advance):
    successor(anonymous, first)
    assert alice.get("/me").status_code == 200
    advance(minutes=10, seconds=1)
    assert code_of(alice.get("/me")) == (401, "token_expired")


def test_a_session_ended_by_its_owner_is_invalid_not_reused(anonymous, alice, first):
    assert alice.delete(f"/auth/sessions/{alice.session_id}").status_code == 204
    assert code_of(refreshes(anonymous, first)) == (401, "refresh_invalid")


def test_a_grace_of_nothing_is_possible(make_app, first, advance):
    client = ApiClient(make_app(refresh_grace_seconds=0))
    asks_who_it_is(client, successor(client, first)["access_token"])
    assert code_of(refreshes(client, first)) == REUSED
