"""What is sealed opens only with its key, for what it belongs to, and unchanged (SEC-30)."""

import pytest

from app.core.keys import Key, KeyRing
from app.core.sealing import Sealer

RING = KeyRing([Key("k2", b"2" * 32), Key("k1", b"1" * 32)])
SECRET, ABOUT = b"kelp grips the rock", b"row 1"


def test_it_comes_back_and_two_are_never_alike():
    key_id, sealed = Sealer(RING).seal(SECRET, about=ABOUT)
    assert key_id == "k2"
    assert Sealer(RING).open(key_id, sealed, about=ABOUT) == SECRET
    assert Sealer(RING).seal(SECRET, about=ABOUT)[1] != sealed


def test_one_changed_bit_anywhere_is_noticed():
    key_id, sealed = Sealer(RING).seal(SECRET, about=ABOUT)
    for place in range(len(sealed)):
        changed = bytearray(sealed)
        changed[place] ^= 1
        with pytest.raises(ValueError, match="changed"):
            Sealer(RING).open(key_id, bytes(changed), about=ABOUT)


@pytest.mark.parametrize(("key_id", "about"), [("k1", ABOUT), ("gone", ABOUT), ("k2", b"row 2")])
def test_no_other_key_and_no_other_row_opens_it(key_id, about):
    _, sealed = Sealer(RING).seal(SECRET, about=ABOUT)
    with pytest.raises(ValueError, match=r"changed|no key"):
        Sealer(RING).open(key_id, sealed, about=about)
