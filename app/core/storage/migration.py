"""Every object into another back end, or under the first key of the ring; can be stopped and given again at any time."""

from collections.abc import Callable
from dataclasses import dataclass, field

from app.core.storage.interface import (
    DamagedObjectError,
    ObjectFacts,
    ObjectMissingError,
    ObjectStore,
    StoredObject,
)
from app.core.storage.local import LocalStore
from app.core.storage.pieces import digest

Tell = Callable[[ObjectFacts], None]
Step = Callable[[ObjectFacts], bool]


class DifferingError(Exception):
    """What arrived is not what was to be copied."""


@dataclass
class Migrated:
    """What became of the objects.

    Attributes:
        copied: moved over, or sealed anew.
        copied_bytes: of those.
        there: equal in size and SHA-256, or under the right key already.
        gone: removed by somebody while this ran.
        differing: keys whose copy is not what the source says, or whose source is damaged.
    """

    copied: int = 0
    copied_bytes: int = 0
    there: int = 0
    gone: int = 0
    differing: list[str] = field(default_factory=list)

    def add(self, facts: ObjectFacts, step: Step) -> None:
        """Take the step for one object and count what came of it."""
        try:
            copied = step(facts)
        except ObjectMissingError:
            self.gone += 1
        except (DamagedObjectError, DifferingError):
            self.differing.append(facts.key)
        else:
            self.copied += copied
            self.copied_bytes += facts.size * copied
            self.there += not copied


def migrate(source: ObjectStore, target: ObjectStore, tell: Tell = lambda _facts: None) -> Migrated:
    """Copy what the target does not have; nothing is removed on either side.

    Args:
        source: may be in use; what comes meanwhile is copied when the command is given again.
        tell: called with each object of the source once it is done.

    Raises:
        AppError: ``storage_unavailable``; what was copied until then stays.
    """

    def step(facts: ObjectFacts) -> bool:
        there = target.facts(facts.key)
        if there and there.size == facts.size and _content(target, there) == _content(source, facts):
            return False
        stored = target.put(facts.key, source.read(facts.key))
        arrived = target.facts(facts.key)
        if stored.size != facts.size or arrived is None or arrived.size != facts.size:
            raise DifferingError
        if any(each.sha256 not in {None, stored.sha256} for each in (facts, arrived)):
            raise DifferingError
        return True

    return _each(source, step, tell)


def reseal(store: LocalStore, tell: Tell = lambda _facts: None) -> Migrated:
    """Store anew what is not sealed under the first key, so that older ones can be retired.

    Raises:
        AppError: ``storage_unavailable``; what was done until then stays.
    """

    def step(facts: ObjectFacts) -> bool:
        if store.key_id(facts.key) == store.current_key_id:
            return False
        if store.put(facts.key, store.read(facts.key)).size != facts.size:
            raise DifferingError
        return True

    return _each(store, step, tell)


def _each(source: ObjectStore, step: Step, tell: Tell) -> Migrated:
    done = Migrated()
    for facts in source.objects():
        done.add(facts, step)
        tell(facts)
    return done


def _content(store: ObjectStore, facts: ObjectFacts) -> StoredObject:
    """Size and SHA-256; read where the back end does not know."""
    if facts.sha256:
        return StoredObject(facts.size, facts.sha256)
    return digest(store.read(facts.key))
