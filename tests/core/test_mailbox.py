"""The development mailbox: a folder that several threads and processes use at once."""

import json
import multiprocessing
import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import uuid4

import pytest

from app.core.clock import Clock
from app.core.mail import Mail, MailboxFolder, MailUnavailableError


def a_mail(to="alice@example.com", subject="Hello"):
    return Mail(
        to, subject, "text", "<p>html</p>", "verify_email", "123456", "token", "https://x/#token=token"
    )


@pytest.fixture
def mailbox(tmp_path):
    return MailboxFolder(tmp_path / "deep" / "mailbox")


def test_what_was_sent_is_kept_newest_first(mailbox):
    for number in range(3):
        mailbox.send(a_mail(subject=f"number {number}"))
    kept = mailbox.list()
    assert [one.mail.subject for one in kept] == ["number 2", "number 1", "number 0"]
    assert kept[2].mail == a_mail(subject="number 0")
    assert mailbox.get(kept[1].id) == kept[1]


def test_the_moment_comes_from_the_clock(tmp_path):
    ahead = Clock(lambda: 86_400)
    mailbox = MailboxFolder(tmp_path, clock=ahead)
    mailbox.send(a_mail())
    assert abs(mailbox.list()[0].created_at - ahead.now()) < timedelta(seconds=30)


def test_an_empty_or_missing_folder_is_an_empty_mailbox(mailbox):
    assert mailbox.list() == ()
    assert mailbox.get(str(uuid4())) is None
    mailbox.clear()


def test_filter_and_limit(mailbox):
    for to in ("alice@example.com", "bob@example.com", "Alice@Example.com"):
        mailbox.send(a_mail(to=to))
    assert [one.mail.to for one in mailbox.list(to="ALICE@example.com")] == [
        "Alice@Example.com",
        "alice@example.com",
    ]
    assert len(mailbox.list(limit=2)) == 2
    assert len(mailbox.list(to="alice@example.com", limit=1)) == 1
    assert mailbox.list(limit=0) == ()


def test_clear_all_or_one_persons(mailbox):
    mailbox.send(a_mail(to="alice@example.com"))
    mailbox.send(a_mail(to="bob@example.com"))
    mailbox.clear(to="alice@example.com")
    assert [one.mail.to for one in mailbox.list()] == ["bob@example.com"]
    mailbox.clear()
    assert mailbox.list() == ()


def test_the_oldest_go_when_there_are_too_many(tmp_path):
    mailbox = MailboxFolder(tmp_path, keep=3)
    for number in range(5):
        mailbox.send(a_mail(subject=str(number)))
    assert [one.mail.subject for one in mailbox.list()] == ["4", "3", "2"]
    assert len(list(tmp_path.iterdir())) == 3


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"{}", b"\xff", b'{"id": "x", "created_at": "soon"}', b'{"id": "x", "created_at": 7}'],
)
def test_a_damaged_file_is_skipped(mailbox, content):
    mailbox.send(a_mail())
    (mailbox.path / f"{uuid4()}.json").write_bytes(content)
    assert len(mailbox.list()) == 1


def test_a_file_with_a_wrong_type_is_skipped(mailbox):
    mailbox.send(a_mail())
    [file] = mailbox.path.iterdir()
    row = json.loads(file.read_text())
    file.write_text(json.dumps({**row, "text": 7}))
    assert mailbox.list() == ()


@pytest.mark.parametrize("mail_id", ["../../etc/passwd", "x", "", "../secret", "%2e%2e"])
def test_only_an_id_names_a_file(mailbox, mail_id):
    mailbox.send(a_mail())
    (mailbox.path.parent / "secret.json").write_text("{}")
    assert mailbox.get(mail_id) is None


def test_only_the_owner_may_read_it(mailbox):
    mailbox.send(a_mail())
    [file] = mailbox.path.iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(mailbox.path.stat().st_mode) == 0o700


def test_a_folder_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(MailUnavailableError):
        MailboxFolder(tmp_path / "file").send(a_mail())
    with pytest.raises(MailUnavailableError):
        MailboxFolder(tmp_path / "file" / "below").send(a_mail())


def test_eight_threads_write_while_others_read_and_clear(mailbox):
    def write(thread):
        for number in range(40):
            mailbox.send(a_mail(subject=f"{thread}-{number}"))

    def read(_):
        for _ in range(10):
            assert all(one.mail.text == "text" for one in mailbox.list())

    with ThreadPoolExecutor(16) as pool:
        jobs = [pool.submit(write, thread) for thread in range(8)] + [pool.submit(read, 0) for _ in range(4)]
        for job in jobs:
            job.result()
    assert len({one.mail.subject for one in mailbox.list()}) == 320
    assert [one.id for one in mailbox.list()] == sorted((one.id for one in mailbox.list()), reverse=True)

    with ThreadPoolExecutor(16) as pool:
        jobs = [pool.submit(write, 9), *(pool.submit(mailbox.clear) for _ in range(8))]
        for job in jobs:
            job.result()
    mailbox.clear()
    assert list(mailbox.path.iterdir()) == []


def test_several_processes_share_it(tmp_path):
    workers = [
        multiprocessing.get_context("spawn").Process(target=_send_some, args=(tmp_path,)) for _ in range(2)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(30)
        assert worker.exitcode == 0
    assert len(MailboxFolder(tmp_path, keep=30).list()) == 30


def _send_some(folder):
    for _ in range(25):
        MailboxFolder(folder, keep=30).send(a_mail())
