"""Pages that stay in a process in the form in which they are sent."""

from collections.abc import Callable
from dataclasses import fields
from typing import Any, Generic

import orjson

from app.core.pagination import Item, Page

FIELDS = frozenset(field.name for field in fields(Page))


class KeptPage(Generic[Item]):
    """A page that is written as JSON once, and sent as those bytes from then on.

    The page itself takes five times the room of the bytes, so it is let go once these are there.

    Args:
        page: as it was read.
        read: reads it anew, as it is by then.
    """

    def __init__(self, page: Page[Item], read: Callable[[], Page[Item]]) -> None:
        self.page: Page[Item] | None = page
        self.read = read
        self._sent: dict[Any, orjson.Fragment] = {}

    def get(self, schema: Any, otherwise: Any = None) -> Any:
        """What a schema made of it, as bytes."""
        return self._sent.get(schema, otherwise)

    def __setitem__(self, schema: Any, written: Any) -> None:
        self._sent[schema] = orjson.Fragment(orjson.dumps(written))
        self.page = None


class ShownPage(Page[Item]):
    """A kept page for one request; who asks it for more than its bytes, when the page is gone, has all of it read again.

    Attributes:
        written_by: where schemas find what they made of it.
    """

    written_by: KeptPage[Item]

    def __init__(self, kept: KeptPage[Item]) -> None:
        page = kept.page
        self.__dict__.update(vars(page) if page is not None else {}, written_by=kept)

    def __getattr__(self, name: str) -> Any:
        if name not in FIELDS:
            raise AttributeError(name)
        self.__dict__.update(vars(self.written_by.read()))
        return self.__dict__[name]
