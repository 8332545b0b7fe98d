"""A ring moves on in three steps, so that no process ever meets a token of a key it does not know (SEC-24).

Between two steps every process is restarted with the ring of the step before: `add` makes the key known everywhere,
`use` puts it first, `retire` drops what nothing needs any more.
"""

import re
import secrets
from enum import StrEnum

from app.core.keys import fresh_ring

NUMBERED = re.compile(r"k(\d+)")
KEY_BYTES = 32


class Stage(StrEnum):
    now = "now"
    add = "add"
    use = "use"
    retire = "retire"


class RotationError(Exception):
    """The ring cannot make this step; the message says why, and names no secret."""


def turned(ring: str, stage: Stage, key_id: str | None = None) -> tuple[str, str]:
    """The ring after a step, and the id of the key that it was about.

    Args:
        ring: ``id:base64,...``, as the settings have it.
        stage: ``add`` puts a fresh key last, ``use`` moves a key to the front, ``retire`` drops one; ``now`` puts a fresh
            one first, for a service whose processes are all stopped.
        key_id: of the key; left out it is the next number for a fresh one, the last for ``use`` and ``retire``.

    Raises:
        RotationError: the id is taken, unknown, or the key is the current one and cannot go.
    """
    entries = [entry.strip() for entry in ring.split(",")]
    ids = [entry.partition(":")[0] for entry in entries]
    if stage in {Stage.add, Stage.now}:
        chosen = key_id or _next(ids)
        if chosen in ids:
            raise RotationError(f"the ring has a key {chosen} already")
        if not (chosen.isalnum() and chosen.isascii() and len(chosen) <= 16):
            raise RotationError("an id is 1 to 16 letters and digits")
        fresh = fresh_ring(chosen, secrets.token_bytes(KEY_BYTES))
        return ",".join([*entries, fresh] if stage == Stage.add else [fresh, *entries]), chosen
    chosen = key_id or ids[-1]
    if chosen not in ids:
        raise RotationError(f"the ring has no key {chosen}")
    entry = entries.pop(ids.index(chosen))
    if stage == Stage.use:
        return ",".join([entry, *entries]), chosen
    if chosen == ids[0]:
        raise RotationError(f"{chosen} is the current key; put another one first before you retire it")
    return ",".join(entries), chosen


def _next(ids: list[str]) -> str:
    numbers = [int(found[1]) for each in ids if (found := NUMBERED.fullmatch(each))]
    return f"k{max(numbers, default=0) + 1}"
