"""`flask storage`: moving files from one place to another, as an operator does it."""

import base64

import pytest

from app.core.storage.build import local_store, s3_store
from tests.fixtures.command_line import command_line
from tests.fixtures.s3 import closes

CONTENTS = {"files/a": b"Anemone", "files/b": bytes(100_000), "thumbnails/a": b"small"}
OLD, NEW = (
    f"{name}:" + base64.b64encode(bytes(range(start, start + 32))).decode()
    for name, start in (("old", 10), ("new", 50))
)


@pytest.fixture
def place(make_app, bucket, s3_settings, tmp_path):
    """An application with both places set, and their stores."""

    def make(**changes):
        both = {**s3_settings(bucket), "storage": "local", "storage_dir": tmp_path / "files", **changes}
        app = make_app(**both)
        return command_line(app), local_store(app.extensions["holdfast"].settings), bucket

    return make


@pytest.fixture(autouse=True)
def closed_stores(monkeypatch):
    """Those that the command makes for itself."""
    made = []

    def make(settings):
        made.append(s3_store(settings))
        return made[-1]

    monkeypatch.setattr("app.cli.storage.s3_store", make)
    yield
    for store in made:
        closes(store)


def fills(store):
    for key, content in CONTENTS.items():
        store.put(key, [content])


def contents_of(store):
    return {facts.key: b"".join(store.read(facts.key)) for facts in store.objects()}


def test_to_a_bucket_and_back(place, tmp_path):
    flask, local, bucket = place(storage_keys=OLD)
    fills(local)
    done = flask("storage", "migrate", "--from", "local", "--to", "s3")
    assert (done.exit_code, done.stdout.splitlines()[-1]) == (0, "3 copied (100,012 bytes), 0 there already.")
    assert contents_of(bucket) == CONTENTS
    again = flask("storage", "migrate", "--from", "local", "--to", "s3")
    assert again.stdout.splitlines()[-1] == "0 copied (0 bytes), 3 there already."

    flask, elsewhere, _ = place(storage_dir=tmp_path / "elsewhere")
    assert flask("storage", "migrate", "--from", "s3", "--to", "local").exit_code == 0
    assert contents_of(elsewhere) == CONTENTS


def test_sec_59_from_local_to_local_seals_under_the_first_key(place):
    flask, local, _ = place(storage_keys=OLD)
    fills(local)
    flask, _, _ = place(storage_keys=f"{NEW},{OLD}")
    done = flask("storage", "migrate", "--from", "local", "--to", "local")
    assert (done.exit_code, done.stdout.splitlines()[-1]) == (0, "3 copied (100,012 bytes), 0 there already.")
    _, retired, _ = place(storage_keys=NEW)
    assert contents_of(retired) == CONTENTS


@pytest.mark.parametrize(
    ("ring", "wanted"), [("", "STORAGE_KEYS is not set"), (NEW, "the key old is not in STORAGE_KEYS")]
)
def test_who_forgot_a_key_is_told_which(place, ring, wanted):
    _, local, _ = place(storage_keys=OLD)
    fills(local)
    flask, _, _ = place(storage_keys=ring)
    told = flask("storage", "migrate", "--from", "local", "--to", "s3")
    assert told.exit_code == 1
    assert f"(it is encrypted, and {wanted})" in told.output


def test_what_differs_is_named_and_ends_with_1(place, tmp_path):
    flask, local, bucket = place(storage_keys=OLD)
    fills(local)
    [path] = (tmp_path / "files" / "objects").rglob("files=a")
    path.write_bytes(path.read_bytes()[:-1])
    done = flask("storage", "migrate", "--from", "local", "--to", "s3")
    assert done.exit_code == 1
    assert "differs: files/a\n" in done.stderr
    assert "1 objects differ or are damaged" in done.stderr
    assert "2 copied" in done.stdout
    assert set(contents_of(bucket)) == {"files/b", "thumbnails/a"}


def test_d14_a_bucket_that_is_not_there(place):
    flask, local, _ = place(s3_bucket="no-such-bucket")
    fills(local)
    done = flask("storage", "migrate", "--from", "local", "--to", "s3")
    assert done.exit_code == 1
    assert "NoSuchBucket" in done.stderr
    assert "What was copied stays." in done.stderr


def test_a_bucket_without_a_name(place):
    flask, _, _ = place(s3_bucket="")
    done = flask("storage", "migrate", "--from", "local", "--to", "s3")
    assert (done.exit_code, done.stderr) == (1, "Error: S3_BUCKET: must name the bucket\n")


def test_from_the_bucket_to_itself(place):
    flask, _, _ = place()
    assert flask("storage", "migrate", "--from", "s3", "--to", "s3").exit_code == 2


def test_verify_names_what_cannot_be_read_and_goes_on(make_app, alice, tmp_path):
    """A file under a key that is gone, and one that is sound: both are counted, and the exit code is that of damage."""
    reef, folder = alice.creates(), tmp_path / "files"
    for ring in (OLD, NEW):
        assert (
            alice.signs_in_again(make_app(storage_dir=folder, storage_keys=ring)).uploads(reef).status_code
            == 201
        )
    whole = command_line(make_app(storage_dir=folder, storage_keys=f"{NEW},{OLD}"))("storage", "verify")
    assert (whole.exit_code, whole.stderr) == (0, "")
    told = command_line(make_app(storage_dir=folder, storage_keys=NEW))("storage", "verify")
    assert told.exit_code == 1
    assert "1 sound, 0 missing, 0 damaged, 1 unreadable, 0 orphaned." in told.stdout
    (line,) = told.stderr.splitlines()
    assert line.startswith("unreadable: files/")
    assert line.endswith("(it is encrypted, and the key old is not in STORAGE_KEYS)")
