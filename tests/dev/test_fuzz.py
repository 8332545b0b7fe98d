"""`make fuzz` fails for a finding, for too few cases, and for an error that only the service's log tells."""

import contextlib
from types import SimpleNamespace

import pytest

from dev import fuzz
from dev.faults import Fault


@pytest.fixture
def run(monkeypatch):
    """Run it with a service that answers nothing and a schemathesis that ends like this."""

    def running(*arguments, code=0, cases=10_000, errors=()):
        service = SimpleNamespace(command=lambda *_words: "", errors=lambda: list(errors))
        monkeypatch.setattr(fuzz, "engines_for_tests", contextlib.nullcontext)
        monkeypatch.setattr(fuzz, "throwaway_service", lambda *_a, **_k: contextlib.nullcontext(service))
        monkeypatch.setattr(fuzz, "_schemathesis", lambda *_a: (code, cases))
        monkeypatch.setattr(fuzz.signal, "signal", lambda *_a: None)
        monkeypatch.setattr(fuzz.sys, "argv", ["fuzz", *arguments])
        return fuzz.fuzz()

    return running


def test_all_is_well(run, capsys):
    assert run() == 0
    assert "10,000 requests in" in capsys.readouterr().out


def test_a_finding_fails(run):
    assert run(code=1) == 1


def test_too_few_cases_fail(run):
    with pytest.raises(Fault, match="only 9,999 requests"):
        run(cases=9_999)


@pytest.mark.parametrize("selection", ["--include-operation-id", "--max-examples=5", "-n"])
def test_a_part_may_be_small(run, selection):
    assert run(selection, cases=20) == 0


def test_another_seed_is_no_part(run):
    with pytest.raises(Fault, match="only 20 requests"):
        run("--seed", "7", cases=20)


def test_an_error_in_the_log_fails(run):
    with pytest.raises(Fault, match="did not expect"):
        run(errors=['{"event": "unhandled_error"}'])
