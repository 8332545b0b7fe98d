"""Signed addresses: what they hold, how long, and that nobody else can make one (SEC-46, SEC-23)."""

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import pytest
from hypothesis import assume, given
from hypothesis import strategies as some

from app.core.errors import AppError
from app.core.keys import Key, KeyRing
from app.files.addresses import Address, FileAddresses, account_named_in
from tests.fixtures.properties import quick

ids = some.uuids()
edges = some.integers(0, 65_535)
moments = some.integers(1_600_000_000, 4_000_000_000).map(
    lambda seconds: datetime.fromtimestamp(seconds, UTC)
)
lengths = some.integers(30, 300)


class Standing:
    """A clock that stands where it is put."""

    def __init__(self, moment):
        self.moment = moment

    def now(self):
        return self.moment


def made(moment, seconds=300, ring=None):
    clock = Standing(moment)
    return clock, FileAddresses(
        ring or KeyRing([Key("k1", b"k" * 32)]), "https://reef.example", seconds, clock
    )


def token_of(url):
    return parse_qs(urlsplit(url).query, strict_parsing=True)["token"][0]


@quick
@given(ids, ids, edges, moments, lengths)
def test_an_address_leads_back_to_what_it_was_made_of(file_id, user_id, edge, moment, seconds):
    _, addresses = made(moment, seconds)
    url = addresses.url(file_id, user_id, edge)
    assert url.startswith("https://reef.example/api/v1/files/content?token=")
    assert addresses.read(token_of(url)) == Address(file_id, user_id, edge)
    assert account_named_in(token_of(url)) == str(user_id)


@quick
@given(ids, ids, moments, lengths)
def test_it_is_good_for_half_its_time_at_least_and_never_longer(file_id, user_id, moment, seconds):
    clock, addresses = made(moment, seconds)
    token = token_of(addresses.url(file_id, user_id))
    clock.moment = moment + timedelta(seconds=seconds // 2)
    assert addresses.read(token)
    clock.moment = moment + timedelta(seconds=seconds)
    with pytest.raises(AppError, match="expired"):
        addresses.read(token)


@quick
@given(ids, ids, moments, lengths, some.integers(0, 300))
def test_within_its_window_it_stays_the_same(file_id, user_id, moment, seconds, later):
    """A list that is read twice has the same addresses, so a browser finds its pictures in its cache."""
    half = seconds // 2
    start = datetime.fromtimestamp(int(moment.timestamp()) // half * half, UTC)
    clock, addresses = made(start, seconds)
    url = addresses.url(file_id, user_id)
    clock.moment = start + timedelta(seconds=min(later, half - 1))
    assert addresses.url(file_id, user_id) == url
    clock.moment = start + timedelta(seconds=half)
    assert addresses.url(file_id, user_id) != url


@quick
@given(ids, ids, edges, some.data())
def test_whatever_is_changed_in_it_makes_it_worthless(file_id, user_id, edge, data):
    _, addresses = made(datetime(2026, 5, 1, tzinfo=UTC))
    token = token_of(addresses.url(file_id, user_id, edge))
    at = data.draw(some.integers(0, len(token) - 1))
    sign = data.draw(some.characters())
    cut, put = data.draw(some.integers(0, 2)), data.draw(some.sampled_from(["", sign, sign * 2]))
    changed = token[:at] + put + token[at + cut :]
    assume(changed != token)
    with pytest.raises(AppError, match="no such file"):
        addresses.read(changed)


@quick
@given(some.text(max_size=200))
def test_what_we_did_not_make_leads_nowhere(token):
    _, addresses = made(datetime(2026, 5, 1, tzinfo=UTC))
    with pytest.raises(AppError, match="no such file"):
        addresses.read(token)


@quick
@given(ids, ids, some.binary(min_size=32, max_size=32))
def test_another_key_of_the_same_name_does_not_do(file_id, user_id, secret):
    assume(secret != b"k" * 32)
    moment = datetime(2026, 5, 1, tzinfo=UTC)
    _, ours = made(moment)
    _, theirs = made(moment, ring=KeyRing([Key("k1", secret)]))
    with pytest.raises(AppError, match="no such file"):
        ours.read(token_of(theirs.url(file_id, user_id)))


def test_a_retired_key_is_good_as_long_as_it_is_in_the_ring():
    """SEC-59."""
    moment, old, new = datetime(2026, 5, 1, tzinfo=UTC), Key("k1", b"o" * 32), Key("k2", b"n" * 32)
    _, before = made(moment, ring=KeyRing([old]))
    token = token_of(before.url(UUID(int=1), UUID(int=2)))
    _, during = made(moment, ring=KeyRing([new, old]))
    assert during.read(token).file_id == UUID(int=1)
    _, after = made(moment, ring=KeyRing([new]))
    with pytest.raises(AppError, match="no such file"):
        after.read(token)


@pytest.mark.parametrize("key_id", ["k1", "k" * 32])
def test_the_longest_fits_into_what_the_document_permits(key_id):
    _, addresses = made(datetime(2026, 5, 1, tzinfo=UTC), ring=KeyRing([Key(key_id, b"k" * 32)]))
    assert len(token_of(addresses.url(UUID(int=1), UUID(int=2), 1024))) <= 200


@quick
@given(some.text() | some.text().map(lambda text: f"hff1.k1.{text}"))
def test_what_is_no_address_names_nobody(text):
    assert account_named_in(text) is None
