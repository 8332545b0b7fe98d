"""What is remembered of callers: read once, shown while it stands, and never revived by a load that began before a change."""

from typing import NamedTuple
from uuid import UUID, uuid4

import pytest

from app.core.access_watch import EARLY, LIFE, AccessWatch
from app.core.known_callers import KnownCallers


class Facts(NamedTuple):
    subjects: tuple[UUID, ...]
    value: str


class Source:
    def __init__(self):
        self.facts, self.asked, self.meanwhile = Facts((uuid4(), uuid4()), "old"), 0, lambda: None

    def load(self):
        self.asked += 1
        facts = self.facts
        self.meanwhile()
        return facts


@pytest.fixture
def source():
    return Source()


@pytest.fixture
def looked_up():
    return []


@pytest.fixture
def watch(uow):
    return AccessWatch(uow)


@pytest.fixture
def known(watch, looked_up):
    return KnownCallers(watch, enabled=True, on_lookup=looked_up.append, size=5)


def test_it_is_read_once_and_stands_for_minutes(known, source, looked_up, wall):
    for _ in range(3):
        assert known.of("alice", source.load).value == "old"
        wall(20)
    assert (source.asked, looked_up) == (1, ["miss", "local", "local"])


def test_not_for_ever(known, source, wall):
    known.of("alice", source.load)
    for _ in range(10):
        wall(LIFE / 10)
        known.of("alice", source.load)
    assert source.asked == 2


@pytest.mark.parametrize("number", [0, 1])
def test_a_change_of_any_subject_ends_it(known, watch, source, number):
    known.of("alice", source.load)
    watch.note(source.facts.subjects[number])
    source.facts = source.facts._replace(value="new")
    assert known.of("alice", source.load).value == "new"


def test_a_change_of_all_ends_it(known, watch, source):
    known.of("alice", source.load)
    watch.note(None)
    known.of("alice", source.load)
    assert source.asked == 2


def test_what_was_read_before_a_change_and_kept_after_it_does_not_stand(known, watch, source):
    def commit():
        source.meanwhile = lambda: None
        watch.note(source.facts.subjects[0])
        source.facts = source.facts._replace(value="new")

    source.meanwhile = commit
    assert known.of("alice", source.load).value == "old"
    assert known.of("alice", source.load).value == "new"


def test_nor_where_the_change_was_heard_of_from_postgresql(known, source, alice, sql, wall):
    source.facts = Facts((alice.session_id,), "old")

    def commit():
        source.meanwhile = lambda: None
        sql("UPDATE sessions SET revoked_at = now() WHERE id = %s", (str(alice.session_id),))
        source.facts = source.facts._replace(value="new")

    source.meanwhile = commit
    assert known.of("alice", source.load).value == "old"
    wall(EARLY)
    assert known.of("alice", source.load).value == "new"


def test_nothing_is_not_remembered(known, source):
    assert known.of("nobody", lambda: None) is None
    assert known.of("nobody", source.load).value == "old"


def test_what_was_read_in_a_block_that_may_be_undone_is_not_remembered(known, source, uow):
    with uow:
        assert known.of("alice", source.load).value == "old"
    known.of("alice", source.load)
    assert source.asked == 2


def test_it_is_read_again_for_who_knows_better(known, source):
    known.of("alice", source.load)
    source.facts = source.facts._replace(value="new")
    assert known.anew("alice", source.load).value == "new"
    assert known.of("alice", source.load).value == "new"


def test_it_is_bounded(known, source):
    for number in range(50):
        known.of(number, source.load)
    assert len(known._known) == 5


def test_switched_off_it_loads_always(watch, source, looked_up):
    known = KnownCallers(watch, enabled=False, on_lookup=looked_up.append)
    for _ in range(3):
        known.of("alice", source.load)
        known.anew("alice", source.load)
    assert (source.asked, looked_up) == (6, [])
