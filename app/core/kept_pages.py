"""Pages that stay in a process in the form in which they are sent."""

from collections.abc import Callable
from typing import Any

import orjson

from app.core.pagination import Item, Page

LARGEST = 32_768
"""Bytes of a page that is kept as it is sent: a thousand are a good thirty megabytes at most."""


class KeptPage(Page[Item]):
    """A page that is written as JSON once, and sent as those bytes from then on.

    Its items take five times the room of the bytes, so they are let go; whoever asks for them all the same has them read again.

    Args:
        page: as it was read.
        read: reads it anew, as it is by then.
    """

    def __init__(self, page: Page[Item], read: Callable[[], Page[Item]]) -> None:
        super().__init__(page.items, page.next_cursor, page.has_more, page.total, page.total_capped)
        object.__setattr__(self, "written_by", SentForms(self._let_go))
        object.__setattr__(self, "_read", read)

    def __getattr__(self, name: str) -> Any:
        if name != "items":
            raise AttributeError(name)
        return self._read().items

    def _let_go(self) -> None:
        self.__dict__.pop("items", None)


class SentForms(dict[Any, orjson.Fragment]):
    """What schemas made of a page, as bytes. Args: then: called when there is one."""

    def __init__(self, then: Callable[[], None]) -> None:
        self._then = then

    def __setitem__(self, schema: Any, written: Any) -> None:
        sent = orjson.dumps(written)
        if len(sent) <= LARGEST:
            super().__setitem__(schema, orjson.Fragment(sent))
        self._then()
