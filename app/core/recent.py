"""What was worked out once and will be asked for again: bounded, for all threads of a process."""

import threading
from typing import Generic, TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")


class Recent(Generic[Key, Value]):
    """A mapping that forgets what was put into it first.

    Args:
        size: entries that are kept.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._kept: dict[Key, Value] = {}
        self._lock = threading.Lock()
        self.get = self._kept.get

    def put(self, key: Key, value: Value) -> None:
        with self._lock:
            self._kept.pop(key, None)  # a new one is the last to go
            self._kept[key] = value
            if len(self._kept) > self._size:
                del self._kept[next(iter(self._kept))]

    def clear(self) -> None:
        with self._lock:
            self._kept.clear()

    def __len__(self) -> int:
        return len(self._kept)
