import os
import re
import sys
import threading
import time

import bcrypt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.errors import AppError, Code
from app.core.keys import Key, KeyRing
from app.core.passwords import NICENESS, PasswordHasher, waiting_room

OLD, NEW = Key("old1", b"o" * 32), Key("new1", b"n" * 32)


def hasher(keys=(NEW,), **options):
    return PasswordHasher(KeyRing(list(keys)), **({"cost": 4, "slots": 4} | options))


@pytest.fixture
def digests(monkeypatch):
    """What bcrypt was asked to look at, in order."""
    seen = []
    real_hash, real_check = bcrypt.hashpw, bcrypt.checkpw

    def hashpw(digest, salt):
        seen.append(digest)
        return real_hash(digest, salt)

    def checkpw(digest, stored):
        seen.append(digest)
        return real_check(digest, stored)

    monkeypatch.setattr(bcrypt, "hashpw", hashpw)
    monkeypatch.setattr(bcrypt, "checkpw", checkpw)
    return seen


def test_sec_03_stored_form_names_scheme_pepper_and_cost():
    assert re.fullmatch(r"hf1\$new1\$\$2b\$04\$[./A-Za-z0-9]{53}", hasher().hash("kelp grips the rock"))


def test_sec_03_bcrypt_sees_exactly_64_bytes_whatever_is_typed(digests):
    one = hasher()
    for typed in ("", "x", "é" * 128, "\N{PILE OF POO}" * 64, "nul\0nul", "x" * 1_000_000):
        assert one.verify(typed, one.hash(typed))
    assert {len(digest) for digest in digests} == {64}
    assert not any(b"\0" in digest for digest in digests)


def test_sec_03_a_hash_under_one_pepper_fails_under_another():
    stored = hasher([Key("p1", b"a" * 32)]).hash("kelp grips the rock")
    assert not hasher([Key("p1", b"b" * 32)]).verify("kelp grips the rock", stored)


def test_sec_59_hashes_under_an_old_pepper_still_verify_and_ask_for_a_new_one():
    stored = hasher([OLD]).hash("kelp grips the rock")
    rotated = hasher([NEW, OLD])
    assert rotated.verify("kelp grips the rock", stored)
    assert not rotated.verify("kelp grips the rocks", stored)
    assert rotated.needs_rehash(stored)
    assert not rotated.needs_rehash(rotated.hash("kelp grips the rock"))
    assert not hasher([NEW]).verify("kelp grips the rock", stored), "the pepper was retired"


def test_sec_04_lower_cost_and_other_schemes_ask_for_a_new_hash():
    stored = hasher().hash("kelp grips the rock")
    assert hasher(cost=5).needs_rehash(stored)
    assert not hasher(cost=4).needs_rehash(hasher(cost=5).hash("kelp grips the rock")), (
        "never to a weaker one"
    )
    for other in (
        "",
        "hf2$new1$" + stored.partition("$$")[2],
        bcrypt.hashpw(b"x", bcrypt.gensalt(4)).decode(),
    ):
        assert hasher().needs_rehash(other)


def test_sec_02_the_same_letters_typed_in_two_ways_are_one_password():
    one = hasher()
    assert one.verify("cafe\u0301 con leche", one.hash("caf\u00e9 con leche"))
    assert not one.verify("CAF\u00c9 CON LECHE", one.hash("caf\u00e9 con leche"))


@settings(max_examples=20, deadline=None)
@given(st.integers(15, 128), st.characters(), st.characters(exclude_categories=["Mn", "Mc"]))
def test_sec_02_the_last_character_matters_at_any_length(length, filler, last):
    one = hasher()
    first, second = filler * (length - 1) + "\N{PILE OF POO}", filler * (length - 1) + last
    assert one.verify(second, one.hash(first)) is (last == "\N{PILE OF POO}")


@pytest.mark.parametrize(
    "stored",
    [
        None,
        "",
        "hf1",
        "hf1$new1$",
        "hf1$new1$$2b$04$tooshort",
        "hf1$new1$$2b$99$" + "a" * 53,
        "hf1$new1$$2b$03$" + "." * 53,
        "hf1$gone$$2b$04$" + "." * 53,
        "$2b$04$" + "." * 53,
        "plain text",
    ],
)
def test_sec_12_t23_no_hash_or_a_bad_one_is_a_no_after_the_same_work(stored, digests):
    assert not hasher().verify("kelp grips the rock", stored)
    assert {len(digest) for digest in digests} == {64}


def test_a_lone_surrogate_is_a_wrong_password_and_no_error():
    assert not hasher().verify("\ud800", hasher().hash("kelp grips the rock"))


def test_sec_12_t24_real_cost_takes_equal_time_for_known_and_unknown():
    real = hasher(cost=12)
    stored = real.hash("kelp grips the rock")
    assert stored.startswith("hf1$new1$$2b$12$")

    def seconds(known):
        begin = time.process_time()
        assert not real.verify("kelp grips the rocks", known)
        return time.process_time() - begin

    known, unknown = (min(seconds(which) for _ in range(3)) for which in (stored, None))
    assert 0.8 < known / unknown < 1.25


def test_sec_07_waiting_room_leaves_two_threads_of_a_process_free():
    assert [waiting_room(threads, 1) for threads in (1, 2, 3, 4, 8)] == [0, 0, 0, 1, 5]


def test_sec_07_runs_so_many_at_once_lets_so_many_wait_and_refuses_the_rest(monkeypatch):
    gate, most = threading.Event(), []
    one = hasher(slots=2, max_waiting=3, wait_seconds=30)

    def slow(_digest, _salt):
        most.append(one.running)
        assert gate.wait(10)
        return b"$2b$04$"

    monkeypatch.setattr(bcrypt, "hashpw", slow)
    threads = [threading.Thread(target=one.hash, args=["x"], daemon=True) for _ in range(5)]
    for thread in threads:
        thread.start()
    until(lambda: (one.running, one.waiting) == (2, 3))
    with pytest.raises(AppError) as early:
        one.demand_room()
    with pytest.raises(AppError) as refused:
        one.hash("x")
    assert early.value.code == Code.overloaded
    assert (refused.value.code, refused.value.retry_after) == (Code.overloaded, 2)
    gate.set()
    for thread in threads:
        thread.join(10)
    assert max(most) == 2
    assert len(most) == 5
    assert (one.running, one.waiting) == (0, 0)
    one.demand_room()


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a process has one priority")
def test_sec_07_hashes_give_way_to_everything_else(monkeypatch):
    def priority(*_):
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    monkeypatch.setattr(bcrypt, "checkpw", lambda *_: seen.append(priority()) or False)
    seen = [before := priority()]
    hasher().verify("x", None)
    assert seen == [before, min(before + NICENESS, 19)]
    assert priority() == before


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nothing is asked")
def test_where_the_system_lets_no_thread_give_way_hashes_are_made_all_the_same(monkeypatch):
    """Some sandboxes refuse the call, even to lower oneself."""

    def refuse(*_):
        raise PermissionError("seccomp")

    monkeypatch.setattr(os, "setpriority", refuse)
    one = hasher()
    assert one.verify("kelp grips the rock", one.hash("kelp grips the rock"))


def test_sec_07_nobody_overtakes_who_waits(monkeypatch):
    gate = threading.Event()
    one = hasher(slots=1, max_waiting=2, wait_seconds=30)
    monkeypatch.setattr(bcrypt, "hashpw", lambda *_: gate.wait(10) and b"")
    one._running = 1
    waits = threading.Thread(target=one.hash, args=["x"], daemon=True)
    waits.start()
    until(lambda: one.waiting == 1)
    one._wait_seconds = 0.05
    with one._changed:  # the slot came free, and who waits has not woken up yet
        one._running = 0
        one._changed.notify_all()
        with pytest.raises(AppError):
            one.hash("y")
    gate.set()
    waits.join(10)
    assert (one.running, one.waiting) == (0, 0)


def test_sec_07_who_waits_too_long_is_refused_and_leaves_no_trace(monkeypatch):
    gate = threading.Event()
    one = hasher(slots=1, max_waiting=1, wait_seconds=0.05)
    stored = one.hash("x")
    monkeypatch.setattr(bcrypt, "hashpw", lambda *_: gate.wait(10) and b"")
    busy = threading.Thread(target=one.hash, args=["x"], daemon=True)
    busy.start()
    until(lambda: one.running == 1)
    begin = time.monotonic()
    with pytest.raises(AppError):
        one.verify("x", stored)
    assert 0.04 < time.monotonic() - begin < 2
    assert one.waiting == 0
    gate.set()
    busy.join(10)
    assert one.verify("x", stored)


def test_sec_12_several_hashes_are_compared_in_one_slot_up_to_the_right_one(monkeypatch):
    one, taken = hasher(slots=1, max_waiting=0), []
    stored = [one.hash("x"), one.hash("y")]
    real = bcrypt.checkpw
    monkeypatch.setattr(bcrypt, "checkpw", lambda *given: taken.append(one.running) or real(*given))
    assert [one.first_match(typed, stored) for typed in ("x", "y", "z")] == [0, 1, None]
    assert one.first_match("y", [None, stored[1]]) == 1
    assert taken == [1] * 7


def test_a_failing_hash_gives_its_slot_back(monkeypatch):
    one = hasher(slots=1, max_waiting=0)
    monkeypatch.setattr(bcrypt, "hashpw", lambda *_: 1 / 0)
    for _ in range(3):
        with pytest.raises(ZeroDivisionError):
            one.hash("x")
    assert one.running == 0


@pytest.mark.parametrize("options", [{"cost": 3}, {"cost": 32}, {"slots": 0}, {"max_waiting": -1}])
def test_refuses_bounds_that_make_no_sense(options):
    with pytest.raises(ValueError):
        hasher(**options)


def until(condition):
    limit = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < limit
        threading.Event().wait(0.002)
