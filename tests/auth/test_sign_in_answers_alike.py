"""SEC-11 and SEC-12: a wrong password tells nobody which addresses have an account."""

from tests.fixtures.account_states import STATES, all_alike, answers_in_every_state, costs_in_every_state
from tests.fixtures.accounts import SAME_ID, as_bytes, registers, signs_in
from tests.fixtures.client import ApiClient

OF_A_STRANGER = "the stranger waits here"


def with_a_wrong_password(client, email, **options):
    return signs_in(client, email, "sea otters let go", **options)


def test_sec_11_every_state_gets_the_same_bytes(app, in_every_state):
    status, headers, body = all_alike(answers_in_every_state(app, with_a_wrong_password))
    assert status == 401
    assert "Set-Cookie" not in headers
    assert b'"invalid_credentials"' in body


def test_sec_11_sec_13_every_state_runs_out_alike_and_looks_the_same_then(app, in_every_state):
    answers = [all_alike(answers_in_every_state(app, with_a_wrong_password)) for _ in range(7)]
    assert [status for status, *_rest in answers] == [401] * 5 + [429] * 2


def test_sec_12_every_state_costs_the_same_work(app, in_every_state, count_queries, hashes):
    """Structure only; benchmarks/timing_equality.py measures the time at real cost."""
    bcrypts, statements = all_alike(costs_in_every_state(app, with_a_wrong_password, count_queries, hashes))
    assert bcrypts == 2
    assert statements


def test_sec_11_registering_first_tells_nothing_either(app, in_every_state):
    """Whoever registered an address is told that it waits for its mail, also where it has an account."""

    def registers_and_signs_in(client, email, **options):
        registers(client, email, OF_A_STRANGER)
        return signs_in(client, email, OF_A_STRANGER, **options)

    status, _headers, body = all_alike(answers_in_every_state(app, registers_and_signs_in))
    assert status == 403
    assert b'"email_not_verified"' in body


def test_sec_13_a_waiting_password_clears_no_counter(anonymous, alice):
    """Else a stranger who registered the address could go on guessing for ever."""
    registers(anonymous, alice.email, OF_A_STRANGER)
    statuses = [signs_in(anonymous, alice.email, OF_A_STRANGER).status_code for _ in range(6)]
    assert statuses == [403] * 5 + [429]


def test_sec_12_the_hash_of_nobody_costs_what_a_real_one_does(parts, hashes):
    from app.core.passwords import PasswordHasher

    hasher = parts.services[PasswordHasher]
    assert hasher.verify("whatever it is", None) is False
    assert len(hashes) == 1
    assert hasher._nobody.startswith(b"$2b$04$")


def test_sec_11_the_spelling_of_an_address_changes_nothing(app, in_every_state):
    client = ApiClient(app)
    client.headers |= SAME_ID
    answers = [
        as_bytes(signs_in(client, spelling, "sea otters let go"))
        for spelling in (STATES["known"], STATES["known"].upper(), f" {STATES['known']} ")
    ]
    assert answers[0] == answers[1] == answers[2]
