"""The peers: installed from locks that name no registry, asked the same as the service."""

import json
import re

import pytest

from benchmarks.options import arguments
from benchmarks.peer_libraries import PEERS, Libraries, stamp
from benchmarks.peers import COMMANDS
from benchmarks.scenarios import MIX, ORDER, Person, scenarios

FOLDERS = sorted({folder for folder, _ in COMMANDS.values()})
ALICE = Person("alice@bench.example", "10.0.0.1", "token-a", tuple("abcdefgh"), (("a", '"1.x"'),))


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_lock_is_hashed_and_names_no_registry(folder):
    locks = [
        path for path in (PEERS / folder).iterdir() if path.name in {"requirements.txt", "package-lock.json"}
    ]
    [lock] = locks
    text = lock.read_text()
    assert not re.search(r'"resolved"|--(extra-)?index-url|--find-links', text)
    if lock.suffix == ".json":
        packages = json.loads(text)["packages"].items()
        assert [name for name, told in packages if name and not told.get("integrity")] == []
    else:
        pinned = re.findall(r"(?m)^\S.*?(?=^\S|\Z)", text, re.DOTALL)
        assert pinned
        assert all("==" in each and "--hash=sha256:" in each for each in pinned if not each.startswith("#"))


@pytest.mark.parametrize("folder", FOLDERS)
def test_versions_are_told_of_what_a_peer_asks_for(folder, tmp_path):
    assert Libraries(tmp_path).versions(folder)


def test_libraries_are_installed_again_when_the_lock_changes(tmp_path):
    lock = tmp_path / "requirements.txt"
    lock.write_text("orjson==1")
    before = stamp(tmp_path)
    lock.write_text("orjson==2")
    assert stamp(tmp_path) != before


def test_everybody_is_asked_the_same():
    first, second = (scenarios([ALICE], ORDER, 16, 4) for _ in range(2))
    assert [each.requests for each in first] == [each.requests for each in second]


def test_a_mix_holds_its_shares_and_changes_no_project_that_must_stay():
    [mixed] = scenarios([ALICE], ["mixed"], 16, 4)
    methods = [content.split(b" ")[0] for content in mixed.requests]
    share = methods.count(b"GET") / len(methods)
    assert abs(share - (MIX["get"] + MIX["list"]) / 100) < 0.03
    changed = {content.split(b" ")[1][-1:] for content in mixed.requests if content.startswith(b"PATCH")}
    assert changed <= {b"e", b"f", b"g", b"h"}


def test_who_is_asked_with_a_tag_knows_it():
    [known] = scenarios([ALICE], ["304"], 16, 4)
    assert b'If-None-Match: "1.x"\r\n' in known.requests[0]
    assert known.status == (304,)


@pytest.mark.parametrize("words", [["--targets", "fastest"], ["--scenarios", "get,put"], ["--people", "1"]])
def test_what_cannot_be_measured_is_refused(words, capsys):
    with pytest.raises(SystemExit):
        arguments("", words)
    assert "error" in capsys.readouterr().err
