"""Files where a scanner is: nobody has one before it was looked at, and nobody ever has an infected one (SEC-46)."""

import pytest

from app.core.media.scanner import ScannerUnavailableError
from app.files.jobs import TRIES
from app.files.service import PROCESS
from tests.fixtures.accounts import code_of
from tests.fixtures.bad_files import EICAR, INFECTED
from tests.fixtures.clamd import LARGEST
from tests.fixtures.forms import FORM, form, part
from tests.fixtures.people import sign_in
from tests.fixtures.pictures import see_through


class Scanned:
    """Bob's uploads into Alice's reef, in an application with a scanner, and what its worker does."""

    def __init__(self, app, bob, reef, sql):
        self.bob, self.reef, self.sql = sign_in(app, bob.user), reef, sql
        self._jobs = app.extensions["holdfast"].jobs

    def uploads(self, *what):
        answer = self.bob.uploads(self.reef, *what)
        assert answer.status_code == 201, answer.json
        return answer.json

    def at(self, file):
        return f"/projects/{self.reef.id}/files/{file['id']}"

    def now(self, file):
        return self.bob.get(self.at(file)).json

    def process(self, file):
        self._jobs.app.tasks[PROCESS].func(file_id=file["id"])


@pytest.fixture
def scanned(bob, reef, joins, kept_app, clamd, sql):
    joins(bob, reef, "editor")
    socket, _port = clamd
    return Scanned(kept_app(clamd_url=f"unix://{socket}"), bob, reef, sql)


@pytest.fixture
def unscanned(bob, reef, joins, make_app, tmp_path, sql):
    """As ``scanned``, where the scanner is away."""
    joins(bob, reef, "editor")
    return Scanned(make_app(clamd_url=f"unix://{tmp_path}/nobody"), bob, reef, sql)


def is_closed(scanned, file, status, code):
    told = scanned.now(file)
    assert (told["content_url"], told["thumbnail_url"]) == (None, None)
    for path in ("/content", "/content?redirect=true", "/thumbnail"):
        assert code_of(scanned.bob.get(scanned.at(file) + path)) == (status, code)
    return True


def test_before_it_is_scanned_nobody_has_it(scanned):
    file = scanned.uploads()
    assert file["state"] == "processing"
    assert is_closed(scanned, file, 409, "write_conflict")
    scanned.process(file)
    assert scanned.now(file)["state"] == "ready"
    assert scanned.bob.get(scanned.at(file) + "/content").status_code == 200


def test_a_clean_picture_gets_its_previews_too(scanned):
    file = scanned.uploads("a.png", see_through())
    scanned.process(file)
    told = scanned.now(file)
    assert (told["state"], bool(told["thumbnail_url"])) == ("ready", True)


@pytest.mark.parametrize("bad", INFECTED, ids=str)
def test_an_infected_file_is_shut_away(scanned, alice, bad):
    file = scanned.uploads(bad.filename, bad.content, bad.declared)
    scanned.process(file)
    told = scanned.now(file)
    assert (told["state"], told["failure_code"]) == ("quarantined", "infected")
    assert is_closed(scanned, file, 403, "forbidden")
    newest = alice.get(f"/projects/{scanned.reef.id}/activity").json["items"][0]
    assert (newest["kind"], newest["actor"]) == ("file.quarantined", None)


def test_uploader_and_owner_are_told_once(scanned, alice, letters):
    file = scanned.uploads("a.txt", EICAR)
    for _ in range(2):
        scanned.process(file)
    for person in (alice, scanned.bob):
        [mail] = letters(person.email)
        assert "a. txt" in mail.text, "as mails write names, so that no program makes a link of one"
        assert scanned.reef.name in mail.text


def test_it_stays_shut_when_the_scanner_is_taken_away(scanned, alice):
    file = scanned.uploads("a.txt", EICAR)
    scanned.process(file)
    assert code_of(alice.get(scanned.at(file) + "/content")) == (403, "forbidden")


def test_it_can_be_thrown_away(scanned):
    file = scanned.uploads("a.txt", EICAR)
    scanned.process(file)
    assert scanned.bob.delete(scanned.at(file)).status_code == 204
    assert scanned.bob.post(scanned.at(file) + "/restore").json["state"] == "quarantined"
    assert is_closed(scanned, file, 403, "forbidden")


def test_a_file_that_is_too_large_to_scan_stays_closed(scanned):
    # By hand: the client of the tests would put a form of this size into a file, and leave that open.
    sent = form(part(b"kelp\n" * (LARGEST // 5 + 1_000)))
    file = scanned.bob.post(f"/projects/{scanned.reef.id}/files", data=sent, content_type=FORM).json
    scanned.process(file)
    assert (scanned.now(file)["state"], scanned.now(file)["failure_code"]) == ("failed", "too_large_to_scan")
    assert is_closed(scanned, file, 403, "forbidden")


def test_a_scanner_that_is_away_is_asked_again(unscanned):
    file = unscanned.uploads()
    for _ in range(TRIES - 1):
        with pytest.raises(ScannerUnavailableError):
            unscanned.process(file)
        assert unscanned.now(file)["state"] == "processing"
    unscanned.process(file)
    assert (unscanned.now(file)["state"], unscanned.now(file)["failure_code"]) == ("failed", "scan_failed")
    assert is_closed(unscanned, file, 403, "forbidden")


def test_a_file_given_up_before_it_was_scanned_stays_closed(unscanned):
    """SEC-46: a worker that died in the middle of each scan has seen nothing."""
    file = unscanned.uploads()
    unscanned.sql("UPDATE files SET attempts = %s", (TRIES,))
    unscanned.process(file)
    assert (unscanned.now(file)["state"], unscanned.now(file)["failure_code"]) == ("failed", "scan_failed")
    assert is_closed(unscanned, file, 403, "forbidden")
