"""The unit of work: one transaction per use case, committed on leaving its block.

A service opens it; nobody else commits. Blocks nest: an inner service joins the outer transaction, and an inner
failure dooms the whole even when the caller swallows it. Hooks run once, after the real COMMIT, never after a
rollback. (SQLAlchemy's own ``after_commit`` event also fires when a savepoint is released, so it is not used.)
"""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import TracebackType
from typing import Any, TypeVar, cast
from uuid import UUID

from sqlalchemy import Connection, Engine
from sqlalchemy.orm import Session

from app.core.commit_hooks import After, Before
from app.core.db import MeasuredPool, reading
from app.core.db_errors import read_only, translate
from app.core.quick_statements import QuickStatement
from app.core.replicas.reads import ReplicaReads
from app.core.telemetry import log
from app.core.uow_state import State

logger = log(__name__)
Found = TypeVar("Found")


class DoomedTransactionError(RuntimeError):
    """An inner block failed, its error was swallowed, and the outer block wanted to commit all the same."""


class UnitOfWork:
    """One per process; each thread has its own current transaction.

    Args:
        engine: the pool of the row-only role.
        read_only: refuse every write block with ``read_only`` (planned maintenance).
        replicas: for what ``lately`` reads, where there are any.
    """

    def __init__(
        self, engine: Engine, *, read_only: bool = False, replicas: ReplicaReads | None = None
    ) -> None:
        self._writer = engine
        self._reader = reading(engine)
        self._read_only = read_only
        self._replicas = replicas
        self._local = threading.local()

    @property
    def _state(self) -> State | None:
        return getattr(self._local, "state", None)

    @property
    def has_room(self) -> bool:
        """Whether a new block would have a connection to the primary without waiting for one."""
        return cast("MeasuredPool", self._writer.pool).has_room

    @property
    def active(self) -> bool:
        return self._state is not None

    @property
    def session(self) -> Session:
        """The session of the current block.

        Raises:
            RuntimeError: outside any block.
        """
        return self._block().session

    @property
    def connection(self) -> Connection:
        """The connection of the current block, for statements that need no session (``QuickSelect``).

        Raises:
            RuntimeError: outside any block.
        """
        return self._block().connection

    def knows(self, key: Any) -> bool:
        """Whether the session of the current block, if it has one, holds that row. Args: key: an identity key."""
        return self._block().knows(key)

    def _block(self) -> State:
        if self._state is None:
            raise RuntimeError("there is no unit of work here; open one in the service")
        return self._state

    def __enter__(self) -> "UnitOfWork":
        state = self._state
        if state is None:
            if self._read_only:
                raise read_only()
            state = self._local.state = State(self._writer, writes=True)
        elif not state.writes:
            raise RuntimeError("a write inside a reading block would not be a transaction")
        state.depth += 1
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        state = self._state
        assert state is not None
        state.depth -= 1
        if error is not None:
            state.doomed = True
        if state.depth:
            return
        self._local.state = None
        try:
            self._finish(state, error)
        except Exception:
            raise
        except BaseException:
            # Told to end in the middle of it: back in the pool, the next block would commit what this one wrote.
            state.invalidate()
            raise
        finally:
            state.close()
        if self._replicas is not None and error is None:
            state.hooks.first_after(self._replicas.wrote, state.touched)
        if error is None:
            state.hooks.run_after()

    def _finish(self, state: State, error: BaseException | None) -> None:
        if error is not None:
            state.roll_back()
            told = translate(error)
            if told is not None:
                raise told from error
            return
        if state.doomed:
            state.roll_back()
            raise DoomedTransactionError
        try:
            if state.hooks.any_before:
                self._settle(state)
            state.commit()
        except Exception as failure:
            state.roll_back()
            told = translate(failure)
            if told is None:
                raise
            raise told from failure

    def _settle(self, state: State) -> None:
        """Call what is to be called before the commit, inside the transaction."""
        self._local.state = state
        state.depth = 1
        try:
            state.hooks.run_before()
        finally:
            state.depth = 0
            self._local.state = None

    @contextmanager
    def reading(self) -> Iterator[None]:
        """A block that only reads: autocommit, so each statement sees what is committed by then.

        Inside a write block it joins that transaction instead.
        """
        if self._state is not None:
            yield
            return
        state = self._local.state = State(self._reader, writes=False)
        try:
            yield
        except Exception as error:
            told = translate(error)
            if told is None:
                raise
            raise told from error
        finally:
            self._local.state = None
            state.close()

    def lately(
        self,
        load: Callable[[], Found],
        *about: UUID,
        holds: Callable[[Found], bool] = lambda _found: True,
    ) -> Found:
        """What ``load`` reads, perhaps from a replica: for answers that may lag a little, never for what decides access.

        Whoever asks sees what they wrote themselves, and what anybody wrote about ``about`` (REL-07). Only a safe request of
        somebody known gets a replica; where that one fails, ``load`` runs once more on the primary.

        Args:
            load: reads, and may be called twice. Inside a write block it joins that transaction.
            about: ids of accounts and projects that ``touch`` may have named.
            holds: whether what came from a replica may be shown, decided on the primary; else it is read there.
        """
        state = self._state
        if self._replicas is None or state is None or state.writes:
            return load()
        return self._replicas.read(load, about, holds, self._elsewhere)

    @contextmanager
    def _elsewhere(self, reader: Engine) -> Iterator[None]:
        """Let another server's session be the current one for a while; the connection to ours waits in the pool."""
        here = self._state
        assert here is not None
        here.close()
        there = self._local.state = State(reader, writes=False)
        try:
            yield
        finally:
            self._local.state = here
            there.close()

    def touch(self, *ids: UUID | None) -> None:
        """Note whose view of things this transaction changes, so that ``lately`` shows it to them at once."""
        if self._replicas is not None and self._state is not None:
            self._state.touched.update(each for each in ids if each is not None)

    @contextmanager
    def item(self) -> Iterator[None]:
        """A savepoint for one item of a bulk: its failure undoes that item alone and drops its hooks."""
        state = self._state
        if state is None or not state.writes:
            raise RuntimeError("an item belongs inside a write block")
        state.send_waiting()
        doomed, hooks = state.doomed, state.hooks.number
        state.items += 1
        try:
            with state.session.begin_nested():
                yield
        except Exception as error:
            state.doomed = doomed
            state.hooks.cut(hooks)
            told = translate(error)
            if told is None:
                raise
            raise told from error
        finally:
            state.items -= 1

    def later(self, statement: QuickStatement, values: Mapping[str, Any]) -> None:
        """Have a statement without an answer written; it may go with what is sent next, at the latest with COMMIT.

        So an error of it may come from there. In an item it goes at once, whose failure is its own.
        """
        state = self._block()
        if state.writes and not state.items:
            statement.later(state.connection, values)
        else:
            statement.send(state.connection, values).close()

    def before_commit(self, hook: Before, arg: Any) -> None:
        """Call ``hook`` once before the outermost block commits, with all that it is asked to be called with, in a list.

        It belongs to the transaction: what it writes is committed with the rest, and its failure rolls everything back.
        """
        state = self._state
        if state is None or not state.writes:
            raise RuntimeError("a hook belongs inside a write block")
        state.hooks.before(hook, arg)

    def after_commit(self, hook: After, *args: Any) -> None:
        """Call ``hook(*args)`` once the outermost block has committed; its failure is logged, not raised."""
        state = self._state
        if state is None or not state.writes:
            raise RuntimeError("a hook belongs inside a write block")
        state.hooks.after(hook, *args)
