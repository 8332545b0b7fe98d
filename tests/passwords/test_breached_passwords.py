"""SEC-05: passwords known from breaches are refused wherever one is chosen, when the look-up is on."""

import time

import pytest

from tests.fixtures.accounts import NO_LIMITS, code_of, registers
from tests.fixtures.client import ApiClient
from tests.fixtures.range_service import BREACHED, range_service
from tests.fixtures.resets import NEW, changes_password, resets

__all__ = ["range_service"]


@pytest.fixture
def checking(make_app, range_service):
    """``checking()``: an application that asks the service."""
    return lambda **settings: make_app(
        breach_check=True, breach_check_url=range_service.url, **NO_LIMITS, **settings
    )


def faults(answer):
    assert code_of(answer) == (422, "validation_failed")
    return [(fault["field"], fault["code"]) for fault in answer.json["errors"]]


def test_sec_05_when_registering(checking):
    client = ApiClient(checking())
    assert faults(registers(client, password=BREACHED)) == [("password", "password_breached")]
    assert registers(client, password=NEW).status_code == 202


def test_sec_05_when_changing(checking, alice):
    client = ApiClient(checking(), alice.token)
    client.password = alice.password
    assert faults(changes_password(client, new=BREACHED)) == [("new_password", "password_breached")]
    assert changes_password(client).status_code == 204


def test_sec_05_when_resetting_and_the_link_stays_good(checking, alice, reset_mail):
    mail, client = reset_mail(), ApiClient(checking())
    assert faults(resets(client, password=BREACHED, token=mail.token)) == [("password", "password_breached")]
    assert resets(client, token=mail.token).status_code == 204


def test_sec_05_one_look_up_for_a_reset(checking, alice, reset_mail, range_service):
    mail = reset_mail()
    resets(ApiClient(checking()), token=mail.token)
    assert len(range_service.asked) == 1


def test_sec_05_what_is_refused_anyway_is_not_asked_about(checking, range_service):
    registers(ApiClient(checking()), password="password1234!")
    assert range_service.asked == []


def test_sec_05_a_service_that_hangs_delays_a_second_at_most(checking, range_service):
    range_service.mood = "hangs"
    client, started = ApiClient(checking()), time.perf_counter()
    assert registers(client, password=BREACHED).status_code == 202
    assert client.app.extensions["holdfast"].settings.breach_check_seconds == 1.0
    assert time.perf_counter() - started < 5, (
        "a second, with room for a busy machine; the service hangs for 30"
    )


def test_sec_05_where_an_answer_is_required_there_is_no_password_without_one(checking, range_service, sql):
    range_service.mood = "fails"
    refused = registers(ApiClient(checking(breach_check_required=True)), password=NEW)
    assert code_of(refused) == (503, "overloaded")
    assert refused.headers["Retry-After"] == "30"
    assert sql("SELECT count(*) FROM registrations") == [(0,)]


def test_sec_05_off_by_default(anonymous, range_service, settings):
    assert settings.breach_check is False
    assert registers(anonymous, password=BREACHED).status_code == 202
    assert range_service.asked == []


def test_sec_07_no_transaction_is_open_while_the_service_is_asked(checking, range_service, sql, monkeypatch):
    """A slow service must not hold connections of the database."""
    app = checking()
    held, real = [], range_service.answers
    pool = app.extensions["holdfast"].engines.engine.pool
    range_service.answers = lambda request: (held.append(pool.checkedout()), real(request))
    registers(ApiClient(app), password=NEW)
    assert held == [0]
