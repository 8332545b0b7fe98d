"""Running a whole write again when two transactions met (SQLSTATE 40001, 40P01; REL-03)."""

import random
import time
from collections.abc import Callable
from functools import wraps
from typing import Any

from app.core.db_errors import RetryableConflict

TRIES = 3
SHORTEST_PAUSE, LONGEST_PAUSE = 0.010, 0.100


def retried(view: Callable[..., Any]) -> Callable[..., Any]:
    """The web is the outermost caller, so the repetition happens here; services never repeat themselves."""

    @wraps(view)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        for left in reversed(range(TRIES)):
            try:
                return view(*args, **kwargs)
            except RetryableConflict:
                if not left:
                    raise
                time.sleep(random.uniform(SHORTEST_PAUSE, LONGEST_PAUSE))
        raise AssertionError("the loop returns or raises")

    return wrapper
