"""CPU time and memory of processes, as /proc tells them."""

import os
import subprocess
import sys

import pytest

from benchmarks import usage

CHILD = "import subprocess, sys; c = subprocess.Popen([sys.executable, '-c', 'input()']); print(c.pid, flush=True); c.wait()"


@pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")
def test_a_family_is_all_that_a_process_started():
    with subprocess.Popen(
        [sys.executable, "-c", CHILD], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        grandchild = int(child.stdout.readline())
        found = usage.family(child.pid)
        child.communicate(b"\n")
    assert found == [child.pid, grandchild]


@pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")
def test_this_process_has_worked_and_holds_memory():
    me = [os.getpid()]
    assert 0 < usage.cpu_seconds(me) <= usage.machine_seconds()
    assert usage.pss_mib(me) > 1


def test_a_process_that_is_gone_took_nothing():
    with subprocess.Popen([sys.executable, "-c", ""]) as child:
        child.wait()
    assert usage.cpu_seconds([child.pid]) == usage.pss_mib([child.pid]) == 0
