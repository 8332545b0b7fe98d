"""The corpus of files that somebody would send to do harm, sent like any other (SEC-46).

Each is refused with its code, or found by the worker, or kept as something that no browser would ever run.
"""

from urllib.parse import quote

import pytest

from app.core.media.faults import FileFault
from tests.fixtures.accounts import code_of
from tests.fixtures.bad_files import BAD_FILES
from tests.fixtures.forms import FORM, form, part

SAFE_POLICY = "sandbox; default-src 'none'; base-uri 'none'; frame-ancestors 'none'"
STATUS = {"file_type_not_allowed": 415, "validation_failed": 422}
AT_THE_DOOR = [bad for bad in BAD_FILES if bad.code and bad.where in {"type", "archive"}]
BY_THE_WORKER = [bad for bad in BAD_FILES if bad.code and bad.where == "picture"]
NEUTRALISED = [bad for bad in BAD_FILES if bad.neutralised]


def sends(person, project, bad):
    """With the name in RFC 8187's coding, which leaves nothing out and nothing to the client's good will."""
    name = f"x\"; filename*=UTF-8''{quote(bad.filename, safe='')}; x=\"x"
    sent = form(part(bad.content, filename=name, kind=bad.declared))
    return person.post(f"/projects/{project.id}/files", data=sent, content_type=FORM)


def test_the_corpus_is_large_enough():
    assert len(BAD_FILES) >= 30
    assert len({bad.name for bad in BAD_FILES}) == len(BAD_FILES)
    found = {*AT_THE_DOOR, *BY_THE_WORKER, *NEUTRALISED}
    assert {bad.where for bad in BAD_FILES if bad not in found} <= {"scan"}


@pytest.mark.parametrize("bad", AT_THE_DOOR, ids=str)
def test_what_harms_is_refused_and_nothing_stays(alice, reef, nothing_left, bad):
    expected = "file_type_not_allowed" if bad.code in FileFault.__members__ else bad.code
    assert code_of(sends(alice, reef, bad)) == (STATUS[expected], expected)
    assert nothing_left()


@pytest.mark.parametrize("bad", BY_THE_WORKER, ids=str)
def test_a_picture_that_would_burst_is_found_where_it_can_harm_nobody(alice, reef, do_jobs, bad):
    """It is kept, with the reason why there are no previews; a picture that already its head gives away never gets in."""
    answer = sends(alice, reef, bad)
    if answer.status_code != 201:
        assert code_of(answer) == (415, "file_type_not_allowed")
        return
    do_jobs()
    file = alice.get(f"/projects/{reef.id}/files/{answer.json['id']}").json
    assert (file["state"], file["failure_code"], file["thumbnail_url"]) == ("failed", bad.code, None)


@pytest.mark.parametrize("bad", NEUTRALISED, ids=str)
def test_what_is_kept_is_never_more_than_a_file(alice, reef, bad):
    answer = sends(alice, reef, bad)
    assert (answer.status_code, answer.json["name"]) == (201, bad.neutralised)
    served = alice.get(f"/projects/{reef.id}/files/{answer.json['id']}/content?download=true")
    assert served.get_data() == bad.content
    assert served.mimetype == answer.json["content_type"]
    assert served.headers["X-Content-Type-Options"] == "nosniff"
    assert served.headers["Content-Security-Policy"] == SAFE_POLICY
    told = served.headers["Content-Disposition"]
    assert told.startswith("attachment; filename=")
    assert told.isascii()
    assert told.isprintable()
    assert not {"/", "\\"} & set(told)
