"""What `flask doctor` says of Redis, of the way out for mail and of the place of files."""

import base64
import stat
from types import SimpleNamespace

import pytest
import redis

from app.cli.checks import services
from dev.engines import valkey_in
from tests.cli.examined import PRODUCTION, Examined
from tests.fixtures.s3 import closes
from tests.fixtures.smtp_sink import smtp_sink


@pytest.fixture
def own_redis(tmp_path):
    with valkey_in(tmp_path) as server:
        yield server


def told(server):
    return redis.Redis.from_url(server.url)


def test_redis_is_there(app):
    found = Examined(app).one("redis", "ok")["what"]
    assert found.startswith("Valkey 9")
    assert "256 MiB, allkeys-lru" in found


def test_redis_that_refuses_writes_when_full(make_app, own_redis):
    with told(own_redis) as client:
        client.config_set("maxmemory-policy", "noeviction")
    found = Examined(make_app(redis_url=own_redis.url)).one("redis", "warn")
    assert "when its 256 MiB are full it refuses writes" in found["what"]
    assert "allkeys-lru" in found["mend"]


def test_redis_without_bounds_is_a_complaint_in_production_only(make_app, own_redis):
    with told(own_redis) as client:
        client.config_set("maxmemory", 0)
    assert Examined(make_app(redis_url=own_redis.url)).one("redis", "ok")
    found = Examined(make_app(**PRODUCTION, redis_url=own_redis.url)).one("redis", "warn")
    assert "maxmemory is not set" in found["what"]


def test_redis_with_another_password(make_app, own_redis):
    url = own_redis.url.replace(own_redis.state.valkey_password, "wrongword")
    found = Examined(make_app(redis_url=url)).one("redis", "fault")
    assert "invalid username-password pair" in found["what"]
    assert "REDIS_URL" in found["mend"]


def test_redis_that_stopped(make_app, own_redis):
    app = make_app(redis_url=own_redis.url)
    assert Examined(app).about("redis", "ok")
    own_redis.stop()
    found = Examined(app).one("redis", "fault")
    assert "limits and cache work from each process's memory meanwhile" in found["what"]


@pytest.mark.parametrize(("version", "severity"), [("6.2.14", "FAULT"), ("7.0.15", "OK"), ("8.0.2", "OK")])
def test_redis_that_is_too_old(settings, version, severity):
    """SET with NX and GET at once came with 7.0; no older server is at hand, so its answer stands in for it."""
    gate = SimpleNamespace(
        run=lambda _command: {"redis_version": version, "maxmemory": 0, "maxmemory_policy": "noeviction"}
    )
    (found,) = services.redis(gate, settings)
    assert found.severity.value == severity
    assert f"Redis {version}" in found.what


def test_mail_goes_to_a_server_that_takes_us(make_app):
    with smtp_sink() as sink:
        seen = Examined(make_app(smtp_url=f"smtp://127.0.0.1:{sink.port}"))
        assert sink.envelopes == []
    assert "the SMTP server takes us" in seen.one("mail", "ok")["what"]


def test_mail_with_a_password_that_is_refused(make_app):
    with smtp_sink(auth_require_tls=False) as sink:
        seen = Examined(make_app(smtp_url=f"smtp://post:wrongword@127.0.0.1:{sink.port}/?tls=none"))
        assert set(sink.sign_ins) == {("post", "wrongword")}
    found = seen.one("mail", "fault")
    assert "535" in found["what"]
    assert "SMTP_URL" in found["mend"]
    assert "wrongword" not in seen.output


def test_mail_to_a_server_without_tls(make_app):
    with smtp_sink() as sink:
        seen = Examined(make_app(smtp_url=f"smtp://127.0.0.1:{sink.port}/?tls=starttls"))
    assert "STARTTLS" in seen.one("mail", "fault")["what"]


def test_mail_to_nobody(make_app):
    found = Examined(make_app(smtp_url="smtp://127.0.0.1:1")).one("mail", "fault")
    assert "Connection refused" in found["what"]
    assert "mails wait and are tried again" in found["what"]


@pytest.mark.parametrize("sender", ["Holdfast <no-reply@localhost>", "no-reply@intranet"])
def test_mail_from_an_address_that_nobody_takes(make_app, sender):
    with smtp_sink() as sink:
        settings = {**PRODUCTION, "smtp_url": f"smtp://127.0.0.1:{sink.port}", "mail_from": sender}
        seen = Examined(make_app(**settings))
    assert "other servers will not take such mail" in seen.one("mail", "warn")["what"]


def test_mail_into_a_folder(make_app, tmp_path):
    folder = tmp_path / "not" / "yet"
    assert str(folder) in Examined(make_app(mailbox_dir=folder)).one("mail", "ok")["what"]
    assert not folder.exists()
    folder.mkdir(parents=True)
    assert Examined(make_app(mailbox_dir=folder)).one("mail", "ok")
    assert list(folder.iterdir()) == []


def test_mail_into_a_folder_that_cannot_be(make_app, tmp_path):
    blocked = tmp_path / "file"
    blocked.touch(stat.S_IRUSR)
    found = Examined(make_app(mailbox_dir=blocked / "mailbox")).one("mail", "fault")
    assert "cannot be written: Not a directory" in found["what"]
    assert "MAILBOX_DIR" in found["mend"]


def test_no_way_out_for_mail(settings):
    (found,) = services.mail(settings.model_copy(update={"smtp_url": None, "mailbox_dir": None}))
    assert found.severity.value == "FAULT"


def test_files_in_a_folder(make_app, tmp_path):
    folder = tmp_path / "files"
    found = Examined(make_app(storage_dir=folder)).one("storage", "ok")
    assert found["what"] == f"files are in the folder {folder}"
    ring = "k9:" + base64.b64encode(bytes(range(60, 92))).decode()
    sealed = Examined(make_app(storage_dir=folder, storage_keys=ring))
    assert "encrypted" in sealed.one("storage", "ok")["what"]
    assert "STORAGE_KEYS k9 (current)" in sealed.one("keys", "ok")["what"]
    assert list((folder / "incoming").iterdir()) == []


def test_files_under_a_key_that_is_not_there_any_more(make_app, alice, tmp_path):
    """Half of them: as when the old key went before all was sealed anew."""
    old, new = (
        f"{name}:" + base64.b64encode(bytes([number]) * 32).decode()
        for name, number in (("k1", 1), ("k2", 2))
    )
    reef, folder = alice.creates(), tmp_path / "files"
    for ring in (old, f"{new},{old}"):
        alice.signs_in_again(make_app(storage_dir=folder, storage_keys=ring)).uploads(reef)
    whole = Examined(make_app(storage_dir=folder, storage_keys=f"{new},{old}"))
    assert whole.about("storage", "fault") == []
    found = Examined(make_app(storage_dir=folder, storage_keys=new)).one("storage", "fault")
    assert found["what"].startswith("1 of 2 files that were looked at are encrypted under the key k1,")
    assert "put k1 back into STORAGE_KEYS" in found["mend"]
    neither = Examined(make_app(storage_dir=folder, storage_keys="")).about("storage", "fault")
    assert {each["what"].partition("under the ")[2].partition(",")[0] for each in neither} == {
        "key k1",
        "key k2",
    }


def test_files_that_are_in_another_folder(make_app, alice, tmp_path):
    alice.uploads(alice.creates())
    found = Examined(make_app(storage_dir=tmp_path / "files")).one("storage", "fault")
    assert found["what"] == "of files that were looked at (1) none is there"
    assert "STORAGE_DIR" in found["mend"]


def test_a_file_that_is_lost_or_damaged_is_for_another_command(make_app, alice, tmp_path):
    folder, reef = tmp_path / "files", alice.creates()
    person = alice.signs_in_again(make_app(storage_dir=folder))
    for number in range(3):
        assert person.uploads(reef, f"{number}.txt").status_code == 201
    lost, damaged, _ = sorted(path for path in (folder / "objects").rglob("*") if path.is_file())
    lost.unlink()
    damaged.write_bytes(b"\x89Holdfast\r\n\x1a")
    assert Examined(make_app(storage_dir=folder)).one("storage", "ok")


def test_files_in_a_folder_that_cannot_be(make_app, tmp_path):
    blocked = tmp_path / "a file"
    blocked.touch()
    found = Examined(make_app(storage_dir=blocked / "files")).one("storage", "fault")
    assert "Not a directory" in found["what"]
    assert "STORAGE_DIR" in found["mend"]


def test_files_in_a_bucket(make_app, bucket, s3_endpoint, s3_settings):
    def examined(**changes):
        app = make_app(**{**s3_settings(bucket), **changes})
        try:
            return Examined(app)
        finally:
            closes(app.extensions["holdfast"].engines.store)

    assert examined().one("storage", "ok")["what"] == f"files are in the bucket {bucket._bucket}"
    found = examined(s3_bucket="no-such-bucket").one("storage", "fault")
    assert "404" in found["what"]
    assert "S3_BUCKET" in found["mend"]


def test_a_scanner_that_does_not_answer_is_a_fault(make_app, tmp_path):
    found = Examined(make_app(clamd_url=f"unix://{tmp_path}/clamd.ctl")).one("scanner", "fault")
    assert "does not answer" in found["what"]
    assert "CLAMD_URL" in found["mend"]


def test_without_a_scanner_nothing_is_said_of_one(app):
    assert Examined(app).about("scanner") == []


def test_a_scanner_that_answers_is_told_with_what_it_must_take(make_app, clamd):
    socket, _port = clamd
    assert "StreamMaxLength" in Examined(make_app(clamd_url=f"unix://{socket}")).one("scanner", "ok")["what"]
