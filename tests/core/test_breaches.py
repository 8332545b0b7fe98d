"""The breach look-up, against a real HTTP server in every mood (SEC-05), and where it never connects to (SEC-55)."""

import socket
import threading
import time

import pytest

from app.core.breaches import BreachLookup, BreachLookupError, _address_of
from app.core.errors import AppError
from app.core.metrics import BREACH_CHECKS
from tests.fixtures.range_service import BREACHED, digest_of, range_service

__all__ = ["range_service"]
OUTAGES = ["fails", "redirects", "hangs", "dribbles", "floods", "babbles"]


@pytest.fixture
def lookup(range_service):
    return BreachLookup(range_service.url, 0.5)


def count(outcome):
    return BREACH_CHECKS.labels(outcome)._value.get()


def test_sec_05_a_known_password_is_found_and_an_unknown_one_is_not(lookup):
    assert lookup.contain(BREACHED) is True
    assert lookup.contain("nobody ever wrote this") is False


def test_sec_05_five_digits_leave_and_no_more(lookup, range_service):
    lookup.contain(BREACHED)
    [(path, headers)] = range_service.asked
    assert path == f"/range/{digest_of(BREACHED)[:5]}"
    assert headers["Add-Padding"] == "true"
    assert not {"Cookie", "Authorization", "Referer"} & set(headers)


def test_sec_05_padding_is_no_hit(lookup):
    """Entries with the count 0 stand there to make all answers equally long."""
    from tests.fixtures.people import PASSWORD

    assert lookup.contain(PASSWORD) is False


def test_the_form_that_is_hashed_is_the_form_that_is_asked_about(range_service, lookup):
    lookup.contain("e\u0301tude in blue")
    lookup.contain("\u00e9tude in blue")
    assert len(set(range_service.paths)) == 1


@pytest.mark.parametrize("mood", OUTAGES)
def test_sec_05_without_an_answer_the_password_passes_soon_and_the_metric_tells(lookup, range_service, mood):
    range_service.mood = mood
    before, started = count("unavailable"), time.perf_counter()
    assert lookup.contain(BREACHED) is False
    assert time.perf_counter() - started < 4, "half a second, with room for a busy machine; it hangs for 30"
    assert count("unavailable") == before + 1


def test_sec_55_a_redirect_is_not_followed(lookup, range_service):
    range_service.mood = "redirects"
    lookup.contain(BREACHED)
    assert len(range_service.asked) == 1


@pytest.mark.parametrize("mood", OUTAGES)
def test_sec_05_fail_closed_by_setting(range_service, mood):
    range_service.mood = mood
    with pytest.raises(AppError) as refused:
        BreachLookup(range_service.url, 0.3, required=True).contain("nobody ever wrote this")
    assert (refused.value.code, refused.value.retry_after) == ("overloaded", 30)


def test_a_service_that_is_not_there(dead_url):
    assert BreachLookup(dead_url, 1.0).contain(BREACHED) is False


@pytest.fixture
def dead_url():
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{held.getsockname()[1]}/range/"


def test_a_name_resolution_that_hangs_holds_nobody(monkeypatch):
    over = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_options: over.wait(30) and [])
    started = time.perf_counter()
    assert BreachLookup("https://breaches.example/range/", 0.2).contain(BREACHED) is False
    assert time.perf_counter() - started < 4
    over.set()


def test_look_ups_that_hang_take_no_more_than_a_few_threads(range_service):
    range_service.mood = "hangs"
    lookup = BreachLookup(range_service.url, 0.05)
    lookup._free = threading.BoundedSemaphore(2)
    held = [lookup._free.acquire(), lookup._free.acquire()]
    assert lookup.contain(BREACHED) is False
    assert (all(held), range_service.asked) == (True, [])


@pytest.mark.parametrize(
    "address",
    ["10.0.0.5", "127.0.0.1", "127.1.2.3", "169.254.169.254", "192.168.1.1", "172.16.0.1", "0.0.0.0", "100.64.0.1",
     "::1", "fe80::1%eth0", "fd00::1", "::ffff:10.0.0.1", "::ffff:127.0.0.1", "224.0.0.1", "::"],
)  # fmt: skip
def test_sec_55_a_name_that_leads_into_a_private_network_is_refused(monkeypatch, address):
    """As after DNS rebinding: what counts is where the name leads when it is used."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    found = [(family, socket.SOCK_STREAM, 6, "", (address, 443))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_options: found)
    with pytest.raises(BreachLookupError, match="not a public one"):
        _address_of("breaches.example", 443)


def test_sec_55_a_public_address_is_connected_to_as_it_was_looked_at(monkeypatch):
    found = [
        (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("10.0.0.5", 443)),
        (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("104.16.0.1", 443)),
    ]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_options: found)
    assert _address_of("breaches.example", 443) == "104.16.0.1"


@pytest.mark.parametrize("named", ["10.0.0.5", "127.0.0.1", "::1"])
def test_sec_55_a_private_address_that_the_setting_names_is_wanted(named):
    assert _address_of(named, 80) == named


def test_the_log_holds_no_part_of_the_password(lookup, range_service, capsys):
    range_service.mood = "fails"
    lookup.contain(BREACHED)
    told = capsys.readouterr().out
    assert digest_of(BREACHED)[:5] not in told
    assert BREACHED not in told
