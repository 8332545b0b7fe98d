import os

from app.web import drain


def test_rel_05_the_flag_is_shared_by_processes_forked_before_it_is_set():
    ready, go = os.pipe(), os.pipe()
    child = os.fork()
    if not child:
        before = drain.draining()
        os.write(ready[1], b"x")
        os.read(go[0], 1)
        os._exit(0 if (before, drain.draining()) == (False, True) else 1)
    try:
        os.read(ready[0], 1)
        assert not drain.draining()
        drain.begin()
        assert drain.draining()
    finally:
        os.write(go[1], b"x")
        _, status = os.waitpid(child, 0)
        drain._flag[0] = 0
    assert status == 0
