"""The proxy of `benchmarks.black_hole`, and how its phases are judged."""

import contextlib
import socket
import threading

from benchmarks.black_hole import Phase, Proxy, judged


def echo(listener):
    with contextlib.suppress(OSError):
        while True:
            link, _ = listener.accept()
            with link:
                while data := link.recv(100):
                    link.sendall(data)


def test_bytes_are_handed_on_until_they_are_swallowed():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=echo, args=(listener,))
        thread.start()
        with contextlib.closing(Proxy(f"redis://:word@127.0.0.1:{listener.getsockname()[1]}/3")) as proxy:
            assert proxy.url.startswith("redis://:word@127.0.0.1:")
            assert proxy.url.endswith("/3")
            port = int(proxy.url.rpartition(":")[2].partition("/")[0])
            with socket.create_connection(("127.0.0.1", port), timeout=10) as link:
                link.sendall(b"PING")
                assert link.recv(100) == b"PING"
                proxy.swallow(True)
                link.sendall(b"lost")
                with socket.create_connection(("127.0.0.1", port), timeout=10):
                    pass  # is taken, as before
                link.shutdown(socket.SHUT_WR)
                assert link.recv(100) == b""
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()


def test_a_phase_is_judged_by_the_one_before():
    idle = Phase([5.0] * 99 + [9.0], 0)
    assert judged(idle, Phase([5.0, 304.0], 0), Phase([6.0] * 100, 0)) == []
    assert len(judged(idle, Phase([5.0, 306.0], 0), Phase([56.0] * 100, 1))) == 3
