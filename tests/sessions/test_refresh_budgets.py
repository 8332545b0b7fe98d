"""SEC-16: refreshes are counted by session; of an address only those that were refused."""

import pytest

from app.core.throttle import Throttle
from tests.fixtures.accounts import code_of, coming_from, is_refused_for_now, refreshes
from tests.fixtures.client import ApiClient

HERE, THERE = coming_from("203.0.113.5"), coming_from("203.0.113.6")
INVALID = (401, "refresh_invalid")


def test_sec_16_thirty_refreshes_in_five_minutes_for_a_session(anonymous, alice, redis_client, advance):
    token = alice.refresh_token
    for number in range(30):
        answer = refreshes(anonymous, token, **coming_from(f"198.51.100.{number}"))
        assert answer.status_code == 200
        token = answer.json["refresh_token"]
    redis_client.flushdb()
    is_refused_for_now(refreshes(anonymous, token, **HERE), "refresh-session")
    assert refreshes(anonymous, alice.signs_in_again().refresh_token, **HERE).status_code == 200
    advance(minutes=5, seconds=1)
    assert refreshes(anonymous, token, **HERE).status_code == 200


def test_sec_16_a_limited_refresh_uses_nothing_up(make_app, alice, advance):
    client = ApiClient(make_app(rate_limit_refresh_session="1/300"))
    token = refreshes(client, alice.refresh_token).json["refresh_token"]
    for _ in range(3):
        is_refused_for_now(refreshes(client, token), "refresh-session")
    advance(minutes=5, seconds=1)
    client.app.extensions["holdfast"].refresh_clock(force=True)
    assert refreshes(client, token).status_code == 200


def test_sec_16_an_office_may_refresh_as_often_as_it_has_sessions(make_app, alice):
    client = ApiClient(make_app(rate_limit_refresh_failures="2/300", rate_limit_refresh_session="3/300"))
    for _ in range(5):
        assert refreshes(client, alice.signs_in_again().refresh_token, **HERE).status_code == 200


@pytest.mark.parametrize(
    "addresses", [["203.0.113.5"] * 4, [f"2001:db8::{number}" for number in range(1, 5)]]
)
def test_sec_16_refused_refreshes_of_an_address_run_out(make_app, alice, redis_client, addresses):
    client = ApiClient(make_app(rate_limit_refresh_failures="3/300"))
    for address in addresses[:3]:
        assert code_of(refreshes(client, "rubbish", **coming_from(address))) == INVALID
    redis_client.flushdb()
    is_refused_for_now(refreshes(client, "rubbish", **coming_from(addresses[3])), "refresh-failures")
    assert code_of(refreshes(client, "rubbish", **THERE)) == INVALID
    assert refreshes(client, alice.refresh_token, **coming_from(addresses[3])).status_code == 200


def test_sec_16_the_figures_are_as_published(settings):
    assert settings.rate_limit_refresh_session == "30/300"
    assert settings.rate_limit_refresh_failures == "150/300"
    assert settings.rate_limit_register_address == "10/3600"
    assert settings.rate_limit_verification_mail == "5/3600"
    assert settings.rate_limit_factor == 1


def test_sec_49_refresh_counters_hold_while_redis_is_away(make_app, alice):
    client = ApiClient(make_app(rate_limit_refresh_session="2/300", redis_url="redis://127.0.0.1:1/0"))
    token = alice.refresh_token
    for _ in range(2):
        token = refreshes(client, token).json["refresh_token"]
    is_refused_for_now(refreshes(client, token), "refresh-session")


def test_counting_is_one_row_a_subject(anonymous, alice, parts, sql):
    for _ in range(2):
        refreshes(anonymous, "rubbish", **HERE)
    assert sql("SELECT hits FROM throttle_counters") == [(2,)]
    assert parts.services[Throttle]
