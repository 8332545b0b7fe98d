"""gunicorn's thread worker, whose loop is run by the thread that answers (app/web/leadership.py).

gunicorn's own has a thread that waits for events and others that answer: each request wakes two of them. Here the one that sees
a request answers it, and then looks for the next.
"""

import time
from collections import deque
from functools import partial
from typing import Any, NamedTuple, Protocol

from gunicorn.workers.gthread import ThreadWorker

from app.web.connection_counts import Turn, counts
from app.web.leadership import Leadership
from app.web.load_shedding import LIVENESS, is_too_late, waited

LOOK_SECONDS = 1.0
GLANCE_SECONDS = 0.05
FEW = 16
"""Requests that are answered between two looks at who came meanwhile."""


class Outcome(NamedTuple):
    """What became of a request, as gunicorn wants to be told: a future that is done."""

    value: Any
    fault: Exception | None = None

    def result(self) -> Any:
        """Raises: Exception: the fault."""
        if self.fault is not None:
            raise self.fault
        return self.value

    def exception(self) -> Exception | None:
        return self.fault

    def cancelled(self) -> bool:
        return False


class Chores(Protocol):
    """What can be done after the answer is out."""

    def due(self, *, idle: bool) -> bool:
        """Whether there is something to do now. Args: idle: whether nobody waits."""

    def do(self) -> None:
        """Do all of it; never raises. Several threads may."""

    def end(self) -> None:
        """Do it for the last time; never raises."""


class LedWorker(ThreadWorker):  # type: ignore[misc] # gunicorn has no types
    """See the module. Everything but ``handle`` runs in the thread that leads.

    Attributes:
        slot: where the others read how many connections this one has; the master sets it before it forks.
        chores: what is done between requests, most of it when nobody waits.
    """

    slot: int | None = None
    chores: Chores | None = None

    def init_process(self) -> None:
        """Make what belongs to this process alone, then run."""
        self._leadership = Leadership(lambda: self.method_queue.defer(lambda: None))
        self.stand_in_line()
        super().init_process()

    def stand_in_line(self) -> None:
        """Begin with nobody in line."""
        self._line: deque[tuple[Any, float]] = deque()
        self._turn, self._somebody_knocks = Turn(counts, self.slot), False

    def run(self) -> None:
        """Serve until told to stop, and for as long after as requests may take."""
        for _ in range(self.cfg.threads):
            self.tpool.submit(self._lead_in_turn)
        try:
            super().run()
        finally:
            self._leadership.close()
            if self.chores is not None:
                self.chores.end()

    def handle_exit(self, sig: int, frame: Any) -> None:
        """Handle SIGTERM: begin to stop."""
        super().handle_exit(sig, frame)
        self._leadership.call()

    def handle_quit(self, sig: int, frame: Any) -> None:
        """Handle SIGQUIT and SIGINT: stop at once."""
        self._leadership.close()
        super().handle_quit(sig, frame)

    def enqueue_req(self, conn: Any) -> None:
        """Note that a connection may have a request. Behind many others, who asks for health is let through."""
        in_front = len(self._line) > FEW and self.path_of(conn) == LIVENESS
        (self._line.appendleft if in_front else self._line.append)((conn, time.monotonic()))

    def wait_for_and_dispatch_events(self, timeout: float) -> None:
        """What gunicorn's main loop does most of the time: let others do it, or do it where all of them are busy."""
        if not self._leadership.lend(timeout):
            self._look(min(timeout, GLANCE_SECONDS))
            self._tell_who_cannot_wait()

    def _look(self, seconds: float) -> None:
        """See who came, or wait for so long until somebody does."""
        self._tell_count()
        self._somebody_knocks, in_line = False, len(self._line)
        super().wait_for_and_dispatch_events(seconds)
        if not self._somebody_knocks:
            self._turn.nobody_knocks()
        elif seconds and len(self._line) == in_line:
            self._turn.breathe()

    def _tell_count(self) -> None:
        self._turn.tell(self.nr_conns if self._accepting and self.alive else None)

    def accept(self, listener: Any) -> None:
        """Accept a connection, unless another process has fewer. A worker that stops takes in whoever is there."""
        self._somebody_knocks = True
        if not self.alive:
            super().accept(listener)
        elif self._turn.has_come(self.nr_conns):
            super().accept(listener)
            self._tell_count()

    def set_accept_enabled(self, enabled: bool) -> None:
        """Accept or not. Who does not is nobody whom others let go first."""
        super().set_accept_enabled(enabled)
        self._tell_count()

    def _tell_who_cannot_wait(self) -> None:
        """While all threads are busy: say that the process lives, and refuse who has waited too long."""
        for _ in range(len(self._line)):
            conn, since = self._line.popleft()
            seconds = time.monotonic() - since
            path = self.path_of(conn)
            if path == LIVENESS or is_too_late(seconds, path):
                self.finish_request(conn, self._outcome(conn, seconds))
            else:
                self._line.append((conn, since))

    def _lead_in_turn(self) -> None:
        """The life of a thread that answers."""
        while self._leadership.wait_to_lead():
            try:
                while self._leadership.kept:
                    self._look_after_clients()
            except Exception:
                self.log.exception("A worker's loop ended.")
                self.alive = False
                self._leadership.call()
            finally:
                self._leadership.resign()

    def _look_after_clients(self) -> None:
        chores = self.chores
        due = chores is not None and chores.due(idle=True)
        self._look(0.0 if self._line or due else LOOK_SECONDS)
        if chores is not None and due and chores.due(idle=not self._line):
            self._leadership.away(chores.do)
            if not self._leadership.kept:
                return
        if len(self._line) > 1:
            self._let_in(min(len(self._line), FEW))
        for _ in range(min(len(self._line), FEW)):
            self._answer(*self._line.popleft())
            if not self._leadership.kept:
                return
        self.murder_keepalived()
        self.murder_pending()
        if not self.alive:
            if self.nr_conns == 0:
                self._leadership.call()
        elif self._accepting != (self.nr_conns < self.worker_connections):
            self.set_accept_enabled(not self._accepting)

    def _let_in(self, count: int) -> None:
        """Accept more than the one that each look accepts, as far as it is this process's turn.

        Who is busy looks seldom: one at a time, it would not come by its share while others wait for it, and who waits in the
        kernel's line is not seen to wait.
        """
        for listener in self.sockets if self._accepting else ():
            before, most = -1, min(self.nr_conns + count, self.worker_connections)
            while before != self.nr_conns < most:
                before = self.nr_conns
                self.accept(listener)

    def _answer(self, conn: Any, since: float) -> None:
        """Answer what a connection asks; who took longer than others wait has lost the lead."""
        outcome = self._leadership.away(partial(self._outcome, conn, time.monotonic() - since))
        if self._leadership.mine:
            self.finish_request(conn, outcome)
        else:
            self.method_queue.defer(self.finish_request, conn, outcome)

    def path_of(self, conn: Any) -> str:
        """What a connection asks for, as far as it is there; waits for nothing."""
        raise NotImplementedError

    def _outcome(self, conn: Any, seconds: float) -> Outcome:
        waited.set(seconds)
        try:
            return Outcome(self.handle(conn))
        except Exception as fault:  # noqa: BLE001 - as a thread pool keeps it
            return Outcome(None, fault)
