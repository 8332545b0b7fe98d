"""What the worker does with a new file: smaller pictures of it, and an end in any case."""

import io

import pytest
from PIL import Image

from app.core.media.faults import FileFault
from app.core.storage.interface import ObjectMissingError
from app.files.jobs import TRIES
from app.files.models import FailureCode
from app.files.service import PROCESS
from tests.fixtures.accounts import code_of
from tests.fixtures.pictures import photo, png_of, see_through

# A HEIC by its boxes: known as one, and nothing here can decode it.
HEIC = b"\0\0\0\x18ftypheic\0\0\0\0heicmif1" + b"\0\0\0\x08free" + b"\0\0\0\x10mdat" + bytes(8)


@pytest.fixture
def process(parts):
    """What the queue calls."""
    return lambda file: parts.jobs.app.tasks[PROCESS].func(file_id=file["id"])


@pytest.fixture
def now(alice, reef):
    """``now(file)``: how it is now."""
    return lambda file: alice.get(f"/projects/{reef.id}/files/{file['id']}").json


@pytest.mark.parametrize(("name", "content", "size"), [("a.png", see_through, (400, 300)),
                                                       ("a.jpg", lambda: photo(size=(3_000, 1_500)), (3_000, 1_500))])  # fmt: skip
def test_a_picture_gets_two_previews(alice, reef, run_jobs, now, name, content, size):
    file = alice.uploads(reef, name, content()).json
    before = alice.get(f"/projects/{reef.id}/files/{file['id']}/thumbnail")
    assert (file["state"], code_of(before)) == ("processing", (404, "not_found"))
    assert run_jobs()
    done = now(file)
    assert (done["state"], done["failure_code"], done["version"]) == ("ready", None, 1)
    assert done["thumbnail_url"]
    for edge in (256, 1024):
        answer = alice.get(f"/projects/{reef.id}/files/{file['id']}/thumbnail?size={edge}")
        with Image.open(io.BytesIO(answer.get_data())) as image:
            assert max(image.size) == min(edge, max(size))


def test_the_tag_changes_when_the_state_does(alice, reef, do_jobs):
    """Who polls with If-None-Match is told when the previews are there."""
    at = f"/projects/{reef.id}/files/{alice.uploads(reef, 'a.png', see_through()).json['id']}"
    tag = alice.get(at).headers["ETag"]
    assert alice.get(at, headers={"If-None-Match": tag}).status_code == 304
    do_jobs()
    assert alice.get(at, headers={"If-None-Match": tag}).status_code == 200


def test_other_files_are_ready_at_once(alice, reef, sql):
    assert alice.uploads(reef).json["state"] == "ready"
    assert sql("SELECT count(*) FROM procrastinate_jobs WHERE task_name = %s", (PROCESS,)) == [(0,)]


def test_a_picture_that_nothing_here_can_decode_is_ready_without_previews(alice, reef, do_jobs, now):
    answer = alice.uploads(reef, "a.heic", HEIC)
    assert answer.status_code == 201, answer.json
    do_jobs()
    done = now(answer.json)
    assert (done["state"], done["failure_code"], done["thumbnail_url"]) == ("ready", None, None)


def test_a_poisoned_picture_fails_and_can_still_be_downloaded(alice, reef, do_jobs, now):
    file = alice.uploads(reef, "a.png", png_of(30_000, 30_000)).json
    do_jobs()
    done = now(file)
    assert (done["state"], done["failure_code"], done["thumbnail_url"]) == (
        "failed",
        "picture_too_large",
        None,
    )
    assert alice.get(f"/projects/{reef.id}/files/{file['id']}/content").status_code == 200
    assert done["content_url"]


def test_whatever_can_be_wrong_with_a_picture_can_be_told():
    of_pictures = {each.value for each in FileFault if each.value.startswith(("picture", "processing"))}
    assert of_pictures <= set(FailureCode)


def test_a_file_that_kills_its_worker_is_given_up(alice, reef, process, now, sql):
    """The tries stand in the row before anything is done: no crash forgets them."""
    file = alice.uploads(reef, "a.png", see_through()).json
    sql("UPDATE files SET attempts = %s", (TRIES,))
    process(file)
    assert (now(file)["state"], now(file)["failure_code"]) == ("failed", "processing_failed")


def test_a_content_that_is_away_is_looked_for_again(alice, reef, parts, process, now, sql):
    """D14: each try is counted, and at the end the file has an end."""
    file = alice.uploads(reef, "a.png", see_through()).json
    [(key,)] = sql("SELECT object_key FROM files")
    content = b"".join(parts.engines.store.read(key))
    parts.engines.store.delete(key)
    for _ in range(TRIES - 1):
        with pytest.raises(ObjectMissingError):
            process(file)
        assert now(file)["state"] == "processing"
    parts.engines.store.put(key, [content])
    process(file)
    assert now(file)["state"] == "ready"


def test_done_twice_is_done_once(alice, reef, process, now, stored):
    file = alice.uploads(reef, "a.png", see_through()).json
    process(file)
    done, kept = now(file), stored()
    process(file)
    assert (now(file), stored()) == (done, kept)
    assert len(kept) == 3


def test_two_workers_at_once_make_one_set_of_previews(alice, reef, parts, at_once, now, stored, sql):
    file = alice.uploads(reef, "a.png", see_through()).json
    handler = parts.jobs.app.tasks[PROCESS].func
    assert at_once(2, lambda _number: handler(file_id=file["id"])) == [None, None]
    assert now(file)["state"] == "ready"
    assert sql("SELECT count(*) FROM file_previews") == [(2,)]
    assert len(stored()) == 3


@pytest.mark.parametrize("how", ["trashed", "gone"])
def test_a_file_that_went_meanwhile_does_no_harm(alice, reef, projects, process, stored, sql, how):
    file = alice.uploads(reef, "a.png", see_through()).json
    if how == "gone":
        projects.trash(alice.actor, reef.id)
        projects.purge(alice.actor, reef.id)
    else:
        alice.delete(f"/projects/{reef.id}/files/{file['id']}")
    process(file)
    assert len(stored()) == (0 if how == "gone" else 3)
    assert sql("SELECT count(*) FROM doomed_objects") == [(0,)]


def test_a_file_whose_job_is_gone_is_begun_anew(alice, reef, parts, advance, do_jobs, now, sql):
    file = alice.uploads(reef, "a.png", see_through()).json
    sql("DELETE FROM procrastinate_jobs")
    rescue = parts.jobs.app.tasks["files.rescue"].func
    rescue()
    do_jobs()
    assert now(file)["state"] == "processing", "its job may still be on its way"
    advance(hours=1, seconds=1)
    rescue()
    do_jobs()
    assert sql("SELECT state, previews FROM files") == [("ready", True)]
