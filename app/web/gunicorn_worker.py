"""gunicorn's thread worker with answers that an API client can read, two rooms, and a few bounds of its own.

These things differ from ``gunicorn.workers.gthread.ThreadWorker`` (27.0.1, pinned; a test covers each):

- A client that sends or reads slowly holds no thread that others need (D9, trap T2). The few threads answer what is
  there as a whole: who sent half a head or half a small body waits in the poller, and so does who does not read. Transfers
  have threads of their own, and are refused when too many of them wait (app/web/transfer_room.py).
- What gunicorn refuses before the application sees it is answered as ``application/problem+json`` (SEC-52) with
  the security headers of SEC-53, and logged without quoting the request, which may hold a token.
- A body that the application did not read is read and dropped within bounds, so that a client that sends all
  before it listens gets its 413 instead of a reset connection.
- A closing connection waits for the client's own close in the poller. gunicorn waits for up to two seconds in the
  worker's main loop: one client that does not hang up stops all the others meanwhile.
- A stopping worker closes its listeners at once, so that nobody connects to a server that will not answer. When its time
  is up it cuts off the transfers, whose threads would keep the process.

TLS and HTTP/2 are the proxy's affair; gunicorn's own are not served by this worker.
"""

import socket
import time
from concurrent.futures import Future
from functools import partial
from selectors import EVENT_READ, EVENT_WRITE
from typing import Any, ClassVar

from gunicorn import util
from gunicorn.http import errors
from gunicorn.workers.gthread import STOP_KEEPALIVE_LINGER

from app.core.address import truncated
from app.core.telemetry import log
from app.web.client_socket import ClientSocket
from app.web.foresight import ForesightedParser, LostPlaceError
from app.web.gunicorn_refusals import FAILED, Overloaded, StoodStill, problem, refusal_of, request_id_of
from app.web.led_worker import LedWorker
from app.web.load_shedding import is_too_late, short_way, waited
from app.web.transfer_holder import OfToken, holder_of, of_nobody
from app.web.transfer_room import TRANSFERS, Place, Routes, TransferRoom, place_of
from app.web.waits import Waits

HEAD_SECONDS = 10.0
DROP_BYTES, DROP_SECONDS = 32 * 2**20, 5.0
LINGER_BYTES, LINGER_SECONDS = 64 * 1024, 2.0


class ProblemThreadWorker(LedWorker):
    """See the module.

    Attributes:
        type_base: what the ``type`` of a problem begins with; its code follows. gunicorn.conf.py sets it.
        extra_headers: complete header lines for each such answer, each ending in CRLF.
        transfer_threads: threads for transfers.
        idle_seconds: how long a transfer, or a client in the middle of a request or answer, may stand still.
        transfers: what is a transfer by its path.
        of_token: the account that a token in a query names.
    """

    type_base: ClassVar[str] = "/docs/errors#"
    extra_headers: ClassVar[str] = ""
    transfer_threads: ClassVar[int] = 32
    idle_seconds: ClassVar[float] = 60
    transfers: ClassVar[Routes] = TRANSFERS
    of_token: ClassVar[OfToken] = staticmethod(of_nobody)

    def init_process(self) -> None:
        """Make what belongs to this process alone, then run."""
        self._room = TransferRoom(self.transfer_threads, lambda: self.method_queue.defer(self._room.begin))
        super().init_process()

    def run(self) -> None:
        """Serve until told to stop, and for as long after as requests may take."""
        self._waits = Waits(self.poller)
        super().run()
        self._room.close()

    def handle_quit(self, sig: int, frame: Any) -> None:
        """Handle SIGQUIT and SIGINT: stop at once."""
        self._room.close()
        super().handle_quit(sig, frame)

    def handle(self, conn: Any) -> Any:
        """Answer what is there as a whole, or say where the connection goes on."""
        self._take_over(conn)
        place = place_of(conn.parser, self.transfers)
        if place is Place.transfers:
            conn.holder = holder_of(conn.parser.request, conn.client, type(self).of_token)
        if place is not Place.here:
            return place
        return self._shed(conn) if self._may_shed(conn.parser.request) else super().handle(conn)

    def _may_shed(self, request: Any) -> bool:
        """Whether this is refused for having waited, and the connection may go on."""
        if request is None or not is_too_late(waited.get(), request.path):
            return False
        expects = request._expected_100_continue  # noqa: SLF001 - no public name
        return self.alive and not expects and not request.should_close()

    def _shed(self, conn: Any) -> Any:
        request = next(conn.parser)
        origin = next((value for name, value in request.headers if name == "ORIGIN"), None)
        conn.sock.sendall(short_way(self.wsgi, request.method, request.path, origin))
        return self._keepalive_after(conn, keepalive=True)

    def path_of(self, conn: Any) -> str:
        """What a connection asks for, if its head is there."""
        self._take_over(conn)
        request = conn.parser.request if conn.parser.look_ahead() else None
        return request.path if request is not None else ""

    def _take_over(self, conn: Any) -> None:
        if conn.parser is None:
            conn.sock = ClientSocket(conn.sock, self.idle_seconds)
            conn.parser = ForesightedParser(self.cfg, conn.sock, conn.client)
            conn.initialized = conn.data_ready = True  # gunicorn would wait for data, and make its own parser

    def finish_request(self, conn: Any, fs: Any) -> None:
        """Say what becomes of a connection that was answered; runs in the thread that leads, so it never waits."""
        result = None if fs.cancelled() or fs.exception() is not None else fs.result()
        if result is None:
            super().finish_request(conn, fs)
        elif result is Place.poller:
            self._wait_for_more(conn)
        elif result is Place.transfers:
            self._transfer(conn)
        elif conn.sock.left:
            after = partial(self.finish_request, fs=fs)
            self._wait(conn, EVENT_WRITE, self.idle_seconds, partial(self._on_writable, after=after))
        elif result is Place.rest:
            self._wait(conn, EVENT_READ, DROP_SECONDS, self._on_rest, idle=True)
        elif result is Place.end:
            self._hang_up(conn, DROP_BYTES, DROP_SECONDS)
        elif result:
            super().finish_request(conn, fs)
        else:
            self._hang_up(conn, LINGER_BYTES)

    def _transfer(self, conn: Any) -> None:
        done = partial(self.method_queue.defer, self._finish_transfer)
        if not self._room.enter(conn, conn.holder, super().handle, done):
            self._refuse(conn, Overloaded())

    def _finish_transfer(self, conn: Any, fs: Future[Any]) -> None:
        self._room.leave(conn)
        self.finish_request(conn, fs)

    def _wait(
        self, conn: Any, events: int, seconds: float, ready: Any, late: Any = None, **more: bool
    ) -> None:
        try:
            self._waits.add(conn, events, seconds, ready, late or self._end, idle=more.get("idle", False))
        except (OSError, ValueError):  # gone already
            self._end(conn)

    def _wait_for_more(self, conn: Any) -> None:
        parser = conn.parser
        if parser.request is not None:
            self._wait(conn, EVENT_READ, self.idle_seconds, self._on_more, self._on_stood_still)
            return
        seconds = self.cfg.keepalive
        if parser.begun is not None:
            seconds = max(0.0, parser.begun + HEAD_SECONDS - time.monotonic())
        if not self.alive:
            seconds = min(seconds, STOP_KEEPALIVE_LINGER)
        self._wait(conn, EVENT_READ, seconds, self._on_more, idle=True)

    def _on_more(self, conn: Any) -> None:
        self._waits.remove(conn)
        self.enqueue_req(conn)

    def _on_stood_still(self, conn: Any) -> None:
        self._refuse(conn, StoodStill())

    def _on_rest(self, conn: Any) -> None:
        try:
            over = conn.parser.drop_body(DROP_BYTES)
        except OSError:
            self._end_wait(conn)
            return
        if over:
            self._waits.remove(conn)
            self._wait_for_more(conn)

    def _on_writable(self, conn: Any, after: Any) -> None:
        try:
            whole = conn.sock.flush()
        except OSError:  # reset by the client
            self._end_wait(conn)
            return
        self._waits.renew(conn, self.idle_seconds)
        if whole:
            self._waits.remove(conn)
            after(conn)

    def _refuse(self, conn: Any, fault: Exception) -> None:
        self.handle_error(conn.parser.request, conn.sock, conn.client, fault)
        self._hang_up(conn, DROP_BYTES)

    def _hang_up(self, conn: Any, drop: int, seconds: float = LINGER_SECONDS) -> None:
        """Say that nothing more comes, and drop what the client still sends until it hangs up as well."""
        try:
            conn.sock.setblocking(False)
            conn.sock.shutdown(socket.SHUT_WR)
        except OSError:  # gone already
            self._end(conn)
            return
        conn.left_to_drop = drop
        self._wait(conn, EVENT_READ, seconds, self._on_lingering_readable)

    def _on_lingering_readable(self, conn: Any) -> None:
        try:
            data = conn.sock.recv(LINGER_BYTES)
        except OSError:  # reset by the client
            data = b""
        conn.left_to_drop -= len(data)
        if not data or conn.left_to_drop <= 0:
            self._end_wait(conn)

    def _end_wait(self, conn: Any) -> None:
        self._waits.remove(conn)
        self._end(conn)

    def _end(self, conn: Any) -> None:
        self.nr_conns -= 1
        conn.close()

    def murder_pending(self) -> None:
        """Close what waited long enough; the main loop calls this at least once a second."""
        super().murder_pending()
        self._waits.expire()

    def set_accept_enabled(self, enabled: bool) -> None:
        """Accept or not. A stopping worker takes in who has connected already, then gives its listeners up.

        gunicorn keeps them open until the last request is done; who connects meanwhile waits for nobody.
        """
        super().set_accept_enabled(enabled)
        if self.alive or enabled:
            return
        for listener in self.sockets:
            before = -1
            while before != self.nr_conns < self.worker_connections:
                before = self.nr_conns
                self.accept(listener)
            listener.close()
        self._waits.hurry(STOP_KEEPALIVE_LINGER)

    def handle_error(self, req: Any, client: socket.socket, addr: Any, exc: Exception) -> None:
        """Answer, and log, what went wrong outside the application. Called while ``exc`` is being handled."""
        refusal = refusal_of(exc)
        req = req or getattr(exc, "req", None)
        method, request_id = getattr(req, "method", None), request_id_of(req)
        note = {
            "status": refusal.status,
            "code": refusal.code.value,
            "request_id": request_id,
            "ip": truncated(addr[0]) if addr else None,
        }
        if refusal is FAILED:
            path = getattr(req, "path", None)
            log("gunicorn").exception("request_failed", method=method, path=path, **note)
        else:
            log("gunicorn").warning("request_refused", reason=type(exc).__name__, **note)
        base, extra = self.type_base, self.extra_headers
        answer = problem(refusal, request_id, head_only=method == "HEAD", type_base=base, extra_headers=extra)
        try:
            util.write_nonblock(client, answer)
        except OSError:
            self.log.debug("The client left before the answer.")

    def _keepalive_after(self, conn: Any, keepalive: bool) -> Any:
        """Where the connection goes on after an answer; runs in the request's thread, which waits for no body."""
        try:
            over = conn.parser.drop_body(DROP_BYTES)
        except (errors.ParseException, OSError):
            return False  # the answer is out: a second one for the same request would pass for the next one's
        except LostPlaceError:
            return Place.end
        if over:
            return keepalive
        return Place.rest if keepalive else Place.end
