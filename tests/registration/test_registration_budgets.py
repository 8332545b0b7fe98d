"""SEC-16: how often one may register, ask for mails and try codes; at the limit it is fine, one more is not."""

import pytest

from tests.fixtures.account_states import STATES
from tests.fixtures.accounts import DANA, coming_from, is_refused_for_now, registers

HERE, THERE = coming_from("203.0.113.5"), coming_from("203.0.113.6")


def resends(client, email=DANA, **options):
    return client.post("/auth/resend-verification", json={"email": email}, **options)


def tries_a_code(client, email, **options):
    return client.post("/auth/verify-email", json={"email": email, "code": "000000"}, **options)


def test_sec_16_ten_registrations_an_hour_from_one_address(anonymous, redis_client, advance):
    for number in range(10):
        assert registers(anonymous, f"dana{number}@example.com", **HERE).status_code == 202
    redis_client.flushdb()
    is_refused_for_now(registers(anonymous, "dana10@example.com", **HERE), "register-address")
    assert registers(anonymous, "dana10@example.com", **THERE).status_code == 202
    advance(hours=1, seconds=1)
    assert registers(anonymous, "dana11@example.com", **HERE).status_code == 202


def test_sec_16_five_mails_an_hour_to_one_address_however_it_is_spelled(
    anonymous, redis_client, letters, advance
):
    for email in (DANA, DANA.upper(), f" {DANA}"):
        assert registers(anonymous, email, **HERE).status_code == 202
    for email in (DANA, "Dana@Example.com"):
        assert resends(anonymous, email, **THERE).status_code == 202
    redis_client.flushdb()
    is_refused_for_now(registers(anonymous, **HERE), "verification-mail")
    is_refused_for_now(resends(anonymous, f" {DANA} ", **THERE), "verification-mail")
    letters()
    assert len(letters(DANA)) <= 5
    assert resends(anonymous, "erin@example.com", **HERE).status_code == 202
    advance(hours=1, seconds=1)
    assert resends(anonymous, **HERE).status_code == 202


@pytest.mark.parametrize("ask", [registers, resends])
def test_sec_16_known_and_unknown_addresses_run_out_alike(app, anonymous, in_every_state, parts, sql, ask):
    sql("DELETE FROM throttle_counters")
    vectors = {
        state: [ask(anonymous, email, **coming_from(f"198.51.100.{number}")).status_code for _ in range(7)]
        for number, (state, email) in enumerate(STATES.items())
    }
    assert all(vector == [202] * 5 + [429] * 2 for vector in vectors.values()), vectors


def test_sec_16_thirty_tries_of_codes_in_five_minutes_from_one_address(anonymous, redis_client, advance):
    for number in range(30):
        assert tries_a_code(anonymous, f"dana{number // 4}@example.com", **HERE).status_code == 422
    redis_client.flushdb()
    is_refused_for_now(tries_a_code(anonymous, "dana9@example.com", **HERE), "verify-address")
    assert tries_a_code(anonymous, "dana9@example.com", **THERE).status_code == 422
    advance(minutes=5, seconds=1)
    assert tries_a_code(anonymous, "dana9@example.com", **HERE).status_code == 422


def test_sec_16_an_ipv6_subscriber_is_one_address(make_app):
    from tests.fixtures.client import ApiClient

    client = ApiClient(make_app(rate_limit_register_address="2/3600"))
    for number in (1, 2):
        answer = registers(client, f"dana{number}@example.com", **coming_from(f"2001:db8::{number}"))
        assert answer.status_code == 202
    is_refused_for_now(
        registers(client, "dana3@example.com", **coming_from("2001:db8::ffff:3")), "register-address"
    )
    assert registers(client, "dana4@example.com", **coming_from("2001:db8:0:1::1")).status_code == 202


def test_sec_16_a_refused_password_costs_no_mail(anonymous, sql):
    for _ in range(7):
        assert registers(anonymous, password="short").status_code == 422
    assert registers(anonymous).status_code == 202


def test_sec_13_the_table_of_counters_names_nobody(anonymous, sql):
    registers(anonymous, **HERE)
    rows = sql("SELECT throttle_counters::text FROM throttle_counters")
    assert rows
    assert not any("dana" in row or "203.0" in row for (row,) in rows)
