"""A ring in three steps: known everywhere, then first, then gone (SEC-24, SEC-59)."""

import pytest

from app.config_faults import ring_faults
from app.core.key_rotation import RotationError, Stage, turned
from app.core.keys import KeyRing, fresh_ring

K1, K2 = fresh_ring("k1", bytes(range(32))), fresh_ring("k2", bytes(range(32, 64)))


def ids(ring):
    assert ring_faults(ring) == []
    return KeyRing.parse(ring).ids


def test_sec_24_three_steps_replace_a_key():
    added, key = turned(K1, Stage.add)
    assert (ids(added), key) == (["k1", "k2"], "k2")
    used, key = turned(added, Stage.use)
    assert (ids(used), key) == (["k2", "k1"], "k2")
    left, key = turned(used, Stage.retire)
    assert (ids(left), key) == (["k2"], "k1")
    assert KeyRing.parse(left).get("k2") == KeyRing.parse(added).get("k2")


def test_now_puts_a_fresh_key_in_front_and_keeps_the_old_ones():
    ring, key = turned(f"{K1}, {K2}", Stage.now)
    assert (ids(ring), key) == (["k3", "k1", "k2"], "k3")
    assert KeyRing.parse(ring).get("k1") == bytes(range(32))


def test_every_fresh_key_is_another():
    keys = {KeyRing.parse(turned(K1, Stage.now)[0]).first.secret for _ in range(20)}
    assert len(keys) == 20
    assert {len(key) for key in keys} == {32}


@pytest.mark.parametrize(
    ("ring", "fresh"), [(K1, "k2"), (fresh_ring("blue", bytes(range(32))), "k1"), (f"{K2},{K1}", "k3")]
)
def test_the_next_number(ring, fresh):
    assert turned(ring, Stage.add)[1] == fresh


@pytest.mark.parametrize(
    ("stage", "key", "told"),
    [
        (Stage.add, "k1", "has a key k1 already"),
        (Stage.now, "k2", "has a key k2 already"),
        (Stage.add, "k-3", "1 to 16 letters and digits"),
        (Stage.add, "k" * 17, "1 to 16 letters and digits"),
        (Stage.use, "k9", "has no key k9"),
        (Stage.retire, "k9", "has no key k9"),
        (Stage.retire, "k1", "is the current key"),
    ],
)
def test_steps_that_cannot_be(stage, key, told):
    with pytest.raises(RotationError, match=told) as refused:
        turned(f"{K1},{K2}", stage, key)
    assert K1.partition(":")[2] not in str(refused.value)


def test_the_last_key_cannot_go():
    with pytest.raises(RotationError, match="current"):
        turned(K1, Stage.retire)
