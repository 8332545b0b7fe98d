"""More names than memory should hold, in order."""

import heapq
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from itertools import islice

AT_ONCE = 50_000


def in_order(names: Iterable[str], at_once: int = AT_ONCE) -> Iterator[str]:
    """The names sorted, byte by byte: runs that fit into memory are sorted, put into temporary files, and merged.

    Args:
        names: ASCII without line breaks.
        at_once: how many are in memory; fewer than that need no file.
    """
    source = iter(names)
    run = sorted(islice(source, at_once))
    if len(run) < at_once:
        yield from run
        return
    with ExitStack() as files:
        runs = []
        while run:
            file = files.enter_context(tempfile.TemporaryFile("w+", encoding="ascii"))
            file.writelines(f"{name}\n" for name in run)
            file.seek(0)
            runs.append(file)
            run = sorted(islice(source, at_once))
        for line in heapq.merge(*runs):
            yield line[:-1]
