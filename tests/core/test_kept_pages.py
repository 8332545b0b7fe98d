"""Pages that are sent as the bytes they were written to once."""

import gc
import weakref

import orjson
import pytest

from app.core.kept_pages import LARGEST, KeptPage
from app.core.pagination import Page


class Thing:
    """An item that tells when it is gone."""

    def __init__(self, name="reef"):
        self.name = name


def kept(*things, then=()):
    return KeptPage(Page(list(things), "next", True, 7, False), lambda: Page(list(then), None, False))


def test_it_is_what_the_page_is():
    thing = Thing()
    page = kept(thing)
    assert page.items == [thing]
    assert (page.next_cursor, page.has_more, page.total, page.total_capped) == ("next", True, 7, False)


def test_what_a_schema_made_of_it_is_kept_as_bytes_for_that_schema_alone():
    page = kept(Thing())
    page.written_by["one"] = {"items": [{"name": "Ré"}], "next_cursor": None}
    assert orjson.dumps(page.written_by["one"]) == '{"items":[{"name":"Ré"}],"next_cursor":null}'.encode()
    assert page.written_by.get("another") is None


def test_once_it_is_written_its_items_are_let_go_and_read_again_for_who_asks():
    thing, later = Thing(), Thing("kelp")
    gone = weakref.ref(thing)
    page = kept(thing, then=[later])
    page.written_by["one"] = {"items": []}
    del thing
    gc.collect()
    assert gone() is None
    assert page.items == [later]
    assert page.items is not page.items, "nobody keeps them a second time"


def test_a_long_one_is_not_kept_as_bytes_nor_as_items():
    page = kept(Thing(), then=[])
    page.written_by["one"] = {"items": ["x" * LARGEST]}
    assert page.written_by.get("one") is None
    assert page.items == []


def test_it_has_nothing_else():
    with pytest.raises(AttributeError, match="colour"):
        kept().colour  # noqa: B018 - it is the look that counts
