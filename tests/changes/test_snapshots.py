"""Snapshots as numbers, held against PostgreSQL's own."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.changes.snapshots import Snapshot, unpacked
from tests.fixtures.properties import quick

THEN = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)


def integers(smallest, largest):
    """Numbers that transactions have."""
    return st.integers(smallest, largest).filter(lambda number: number % 2**32 >= 3)


numbers = integers(3, 2**63 - 10**6)


@st.composite
def snapshots(draw):
    xmin = draw(numbers)
    running = sorted(draw(st.sets(st.integers(xmin, xmin + 10**5), max_size=60)))
    last = max([xmin, *(each + 1 for each in running)])
    return Snapshot(running[0] if running else xmin, draw(integers(last, last + 10**5)), tuple(running), THEN)


def seen(snapshot, xid):
    """What PostgreSQL's ``pg_visible_in_snapshot`` says."""
    return xid < snapshot.xmin or (xid < snapshot.xmax and xid not in snapshot.running)


@quick
@given(snapshots(), snapshots())
def test_what_is_packed_is_unpacked(first, second):
    found = unpacked(first.packed() + second.packed())
    assert (Snapshot.unpack(found), Snapshot.unpack(found)) == (first, second)
    assert list(found) == []


@quick
@given(snapshots())
def test_the_text_is_postgresqls(snapshot):
    assert Snapshot.parse(str(snapshot), THEN) == snapshot


@quick
@given(snapshots(), st.data())
def test_before_a_number_nothing_from_it_on_is_seen_and_all_else_as_it_was(snapshot, data):
    limit = data.draw(integers(max(3, snapshot.xmin - 5), snapshot.xmax + 5))
    earlier = snapshot.before(limit)
    for xid in {limit - 1, limit, limit + 1, snapshot.xmin, snapshot.xmax, *snapshot.running}:
        assert seen(earlier, xid) == (seen(snapshot, xid) and xid < limit), xid


@quick
@given(snapshots(), st.integers(30, 120))
def test_fitted_it_is_short_and_sees_no_more_than_it_did(snapshot, size):
    fitted = snapshot.fitted(size)
    assert len(fitted.packed()) <= size
    assert fitted == snapshot or len(snapshot.packed()) > size
    for xid in {*snapshot.running, *(each + 1 for each in snapshot.running), fitted.xmax, snapshot.xmax}:
        assert not seen(fitted, xid) or seen(snapshot, xid)


@quick
@given(snapshots(), st.data())
def test_postgresql_reads_it_and_says_the_same(owner_connection, snapshot, data):
    edges = [snapshot.xmin - 1, snapshot.xmin, snapshot.xmax - 1, snapshot.xmax, *snapshot.running[:5]]
    xid = data.draw(st.sampled_from([each for each in edges if each > 0]))
    with owner_connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_visible_in_snapshot(%s::text::xid8, %s::pg_snapshot)", (str(xid), str(snapshot))
        )
        assert cursor.fetchone() == (seen(snapshot, xid),)


@pytest.mark.parametrize(("text", "bytes_"), [("10:10:", 8), ("1000000:1000010:1000000,1000003,1000007", 13)])
def test_it_takes_few_bytes(text, bytes_):
    assert len(Snapshot.parse(text, THEN).packed()) == bytes_


def test_the_smallest_one_sees_nothing(owner_connection):
    """Where there is no event at all."""
    nothing = Snapshot.parse("700:705:701", THEN).before(1)
    assert str(nothing) == "3:3:"
    with owner_connection.cursor() as cursor:
        cursor.execute("SELECT pg_visible_in_snapshot('3'::xid8, %s::pg_snapshot)", (str(nothing),))
        assert cursor.fetchone() == (False,)
