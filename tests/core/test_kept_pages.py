"""Pages that are sent as the bytes they were written to once."""

import gc
import weakref

import orjson
import pytest

from app.core.kept_pages import KeptPage, ShownPage
from app.core.pagination import Page


class Thing:
    """An item that tells when it is gone."""

    def __init__(self, name="reef"):
        self.name = name


def kept(*things, then=()):
    return KeptPage(Page(list(things), "next", True, 7, False), lambda: Page(list(then), "later", True))


def test_it_is_shown_as_the_page_is():
    thing = Thing()
    page = ShownPage(kept(thing))
    assert page.items == [thing]
    assert (page.next_cursor, page.has_more, page.total, page.total_capped) == ("next", True, 7, False)


def test_what_a_schema_made_of_it_is_kept_as_bytes_for_that_schema_alone():
    page = kept(Thing())
    ShownPage(page).written_by["one"] = {"items": [{"name": "Ré"}], "next_cursor": None}
    again = ShownPage(page).written_by
    assert orjson.dumps(again.get("one")) == '{"items":[{"name":"Ré"}],"next_cursor":null}'.encode()
    assert again.get("another") is None


def test_once_it_is_written_the_page_is_let_go():
    thing = Thing()
    gone, page = weakref.ref(thing), kept(thing)
    page["one"] = {"items": []}
    del thing
    assert gone() is None


def test_who_asks_for_it_all_the_same_is_shown_one_reading():
    """Its items and its cursor belong together, whatever has changed since."""
    later = Thing("kelp")
    page = kept(Thing(), then=[later])
    page["one"] = {"items": []}
    shown = ShownPage(page)
    assert (shown.items, shown.next_cursor, shown.total) == ([later], "later", None)
    assert shown.items is shown.items
    assert page.page is None, "nobody keeps it a second time"


def test_who_was_shown_it_before_goes_on_with_what_it_was():
    thing = Thing()
    page = kept(thing)
    shown = ShownPage(page)
    page["one"] = {"items": []}
    assert (shown.items, shown.next_cursor) == ([thing], "next")


def test_nothing_waits_for_the_collector():
    """A page that is pushed out is gone at once; thousands that wait for a full collection would be the memory of a process."""
    gc.disable()
    try:
        page = kept(Thing())
        ShownPage(page).written_by["one"] = {"items": []}
        gone = weakref.ref(page)
        del page
        assert gone() is None
    finally:
        gc.enable()


def test_it_has_nothing_else():
    with pytest.raises(AttributeError, match="colour"):
        ShownPage(kept()).colour  # noqa: B018 - it is the look that counts
