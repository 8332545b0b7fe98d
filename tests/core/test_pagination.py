"""Cursors and pages: what was sealed comes back, nothing else does."""

from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sqlalchemy import BigInteger, Uuid, column, select, text

from app.core import pagination
from app.core.errors import AppError, Code
from app.core.keys import Key, KeyRing, b64, unb64
from app.core.pagination import Cursors, PageRequest, Sort, page_of, query_scope
from tests.fixtures.properties import quick

RING = KeyRing([Key("new", b"n" * 32), Key("old", b"o" * 32)]).derive("cursor")
CURSORS = Cursors(RING)
WORDS = st.text(max_size=20)
POSITIONS = st.lists(st.one_of(WORDS, st.integers(-(2**53), 2**53), st.none(), st.booleans()), max_size=3)
SCOPES = st.binary(max_size=30)


def refused(scope, cursor, cursors=CURSORS):
    with pytest.raises(AppError) as error:
        cursors.decode(scope, cursor)
    assert error.value.code is Code.invalid_cursor
    [fault] = error.value.fields
    assert (fault.location, fault.field) == ("query", "cursor")
    return True


@quick
@given(SCOPES, POSITIONS)
def test_a_position_comes_back_as_it_was(scope, position):
    assert CURSORS.decode(scope, CURSORS.encode(scope, position)) == position


@quick
@given(SCOPES, st.text("abcdefgh", min_size=8))
def test_a_cursor_does_not_tell_what_it_holds(scope, word):
    """Names of others, numbers of events and of transactions."""
    _, _, body = CURSORS.encode(scope, [word]).partition(".")
    assert word.encode() not in unb64(body)


@quick
@given(SCOPES, SCOPES, POSITIONS)
def test_a_cursor_belongs_to_its_scope(scope, other, position):
    assume(scope != other)
    assert refused(other, CURSORS.encode(scope, position))


@quick
@given(SCOPES, POSITIONS, st.data())
def test_one_changed_letter_makes_it_a_forgery(scope, position, data):
    cursor = CURSORS.encode(scope, position)
    place = data.draw(st.integers(0, len(cursor) - 1))
    letter = data.draw(st.sampled_from("ABCDEFGHIJKLMNOPabcdefghijklmnop0123456789-_.+/= é"))
    forged = cursor[:place] + letter + cursor[place + 1 :]
    assume(forged != cursor)
    assert refused(scope, forged)


@quick
@given(SCOPES, POSITIONS, st.data())
def test_a_piece_of_a_cursor_or_more_than_one_is_a_forgery(scope, position, data):
    cursor = CURSORS.encode(scope, position)
    end = data.draw(st.integers(0, len(cursor) - 1))
    assert refused(scope, cursor[:end])
    assert refused(scope, cursor + data.draw(st.text("AZaz09-_=.", min_size=1, max_size=5)))


@quick
@given(SCOPES, st.text(max_size=60))
def test_junk_is_refused(scope, junk):
    assert refused(scope, junk)
    assert refused(scope, f"new.{junk}")


@quick
@given(SCOPES, st.binary(max_size=60))
def test_junk_in_the_right_dress_is_refused(scope, junk):
    assert refused(scope, f"new.{b64(junk)}")


def test_an_unknown_key_is_refused_and_an_old_one_is_not():
    old = Cursors(KeyRing([Key("old", b"o" * 32)]).derive("cursor"))
    assert CURSORS.decode(b"s", old.encode(b"s", ["x"])) == ["x"]
    assert refused(b"s", CURSORS.encode(b"s", ["x"]), cursors=old)
    assert CURSORS.encode(b"s", ["x"]).startswith("new.")


def test_a_key_of_another_purpose_makes_no_cursor():
    """SEC-23."""
    other = Cursors(KeyRing([Key("new", b"n" * 32)]).derive("throttle"))
    assert refused(b"s", other.encode(b"s", ["x"]))


MOMENT = datetime(2026, 5, 1, tzinfo=UTC)
PLAIN = st.one_of(st.none(), WORDS, st.integers(-(2**53), 2**53), st.uuids(), st.lists(WORDS, max_size=2))


@quick
@given(st.lists(PLAIN, max_size=4), st.lists(PLAIN, max_size=4))
def test_a_scope_names_one_query(one, other):
    assume(_as_sent(one) != _as_sent(other))
    assert query_scope(*one) != query_scope(*other)


def _as_sent(parts):
    """A UUID and its text are one to a client."""
    return [str(part) if isinstance(part, UUID) else part for part in parts]


def test_a_scope_does_not_mind_the_order_of_filters():
    assert query_scope({"a": 1, "b": MOMENT}) == query_scope({"b": MOMENT, "a": 1})
    assert query_scope({"a": 1}) != query_scope({"a": 2}) != query_scope({"b": 1})


def walk(uow, values, limit, *, descending):
    """Every page over a table of these values, through real SQL: its rows, the rows found, the sizes of the pages."""
    ids = [uuid4() for _ in values]
    table = (
        select(column("v", BigInteger), column("i", Uuid))
        .select_from(text("unnest(CAST(:values AS bigint[]), CAST(:ids AS uuid[])) AS t(v, i)"))
        .params(values=values, ids=[str(each) for each in ids])
        .subquery()
    )
    sort = Sort(table.c.v, descending, int)
    found, sizes, cursor = [], [], None
    with uow.reading():
        session = uow.session
        while True:
            page = page_of(
                session, select(table.c.v, table.c.i), sort=sort, key=table.c.i, cursors=CURSORS, scope=b"numbers",
                request=PageRequest(limit, cursor), make=lambda row: (row.v, row.i),
            )  # fmt: skip
            assert (page.total, page.total_capped) == (None, None)
            assert page.has_more is (page.next_cursor is not None)
            found += page.items
            sizes.append(len(page.items))
            cursor = page.next_cursor
            if cursor is None:
                return list(zip(values, ids, strict=True)), found, sizes


@settings(parent=quick, max_examples=25)
@given(
    st.lists(st.integers(-3, 3) | st.integers(-(2**63), 2**63 - 1), max_size=12),
    st.integers(1, 5),
    st.booleans(),
)
def test_pages_hold_each_row_once_in_order_ties_and_all(uow, values, limit, descending):
    rows, found, sizes = walk(uow, values, limit, descending=descending)
    assert found == sorted(rows, reverse=descending)
    assert all(size == limit for size in sizes[:-1])


@pytest.mark.parametrize(
    ("many", "expected"), [(0, (0, False)), (3, (3, False)), (4, (3, True)), (9, (3, True))]
)
def test_the_count_stops_at_its_cap(uow, monkeypatch, many, expected):
    monkeypatch.setattr(pagination, "TOTAL_CAP", 3)
    with uow.reading():
        session = uow.session
        rows = select(column("n")).select_from(text(f"generate_series(1, {many}) AS t(n)"))
        assert pagination._count(session, rows) == expected
