"""Handing a file out: whole or a part of it, under its name, and never as something that a browser runs."""

import hashlib
import re
from urllib.parse import unquote

import pytest

from app.web.docs import document
from tests.fixtures.accounts import code_of
from tests.fixtures.client import ApiClient
from tests.fixtures.pictures import photo, see_through

TEXT = "".join(f"{number} urchins\n" for number in range(1_000)).encode()
POLICY = "sandbox; default-src 'none'; base-uri 'none'; frame-ancestors 'none'"


@pytest.fixture
def file(alice, reef):
    return alice.uploads(reef, "urchins.txt", TEXT).json


@pytest.fixture
def at(reef, file):
    return f"/projects/{reef.id}/files/{file['id']}/content"


def test_its_headers(alice, at, file):
    answer = alice.get(at)
    assert answer.get_data() == TEXT
    assert answer.mimetype == "text/plain"
    told = {
        name: answer.headers[name] for name in ("Content-Length", "ETag", "Accept-Ranges", "Cache-Control")
    }
    assert told == {
        "Content-Length": str(len(TEXT)), "ETag": f'"{hashlib.sha256(TEXT).hexdigest()}"', "Accept-Ranges": "bytes",
        "Cache-Control": "private, no-cache",
    }  # fmt: skip
    assert answer.headers["ETag"] == f'"{file["sha256"]}"'
    assert answer.headers["Content-Security-Policy"] == POLICY
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_head_tells_the_same_without_the_content(alice, at):
    whole, head = alice.get(at), alice.open("HEAD", at)
    assert (head.status_code, head.get_data()) == (200, b"")
    for name in (
        "Content-Length",
        "ETag",
        "Content-Type",
        "Content-Disposition",
        "Accept-Ranges",
        "Cache-Control",
    ):
        assert head.headers[name] == whole.headers[name], name


@pytest.mark.parametrize("part", ["bytes=0-3", "bytes=99999999-"])
def test_head_knows_no_parts(alice, at, part):
    """RFC 9110, 14.2: a range is for GET."""
    head = alice.open("HEAD", at, headers={"Range": part})
    assert (head.status_code, head.headers["Content-Length"]) == (200, str(len(TEXT)))


def test_its_headers_are_no_longer_than_documented(app, alice, reef):
    """The longest name, each byte of which takes three characters."""
    file = alice.uploads(reef, "\u6d77" * 83 + ".txt", TEXT).json
    answer = alice.get(f"/projects/{reef.id}/files/{file['id']}/content")
    with app.app_context():
        documented = document()["components"]["headers"]
    for name in ("ETag", "Content-Disposition", "Accept-Ranges"):
        assert len(answer.headers[name]) <= documented[name]["schema"]["maxLength"], name
    assert len(answer.headers["Content-Disposition"]) > 800


END = len(TEXT) - 1
RANGES = {
    "bytes=0-0": (0, 0), "bytes=5-": (5, END), "bytes=-5": (END - 4, END), "bytes=0-999999": (0, END), "bytes=7-7": (7, 7),
    "bytes=0-": (0, END), f"bytes={END}-": (END, END), f"bytes=-{END + 9}": (0, END), f"bytes={END}-{END + 5}": (END, END),
    "Bytes=2-3": (2, 3),
}  # fmt: skip
WHOLE = [
    "bytes=5-2",
    "bytes=0-1,3-4",
    "lines=1-2",
    "bytes=",
    "bytes=a-b",
    "bytes",
    "kelp",
    "bytes=-",
    "bytes=0x1-2",
]
BEYOND = [f"bytes={END + 1}-", f"bytes={END + 1}-{END + 9}", "bytes=999999-"]


class TestRanges:
    @pytest.mark.parametrize("asked", RANGES)
    def test_one_part(self, alice, at, asked):
        answer = alice.get(at, headers={"Range": asked})
        first, last = RANGES[asked]
        assert answer.status_code == 206
        assert answer.get_data() == TEXT[first : last + 1]
        assert answer.headers["Content-Range"] == f"bytes {first}-{last}/{len(TEXT)}"
        assert answer.headers["Content-Length"] == str(last - first + 1)
        assert answer.headers["Content-Security-Policy"] == POLICY

    @pytest.mark.parametrize("asked", WHOLE)
    def test_what_is_no_part_is_the_whole(self, alice, at, asked):
        """RFC 9110, 14.2: a server may leave a Range aside; several parts at once are no use to anybody here."""
        answer = alice.get(at, headers={"Range": asked})
        assert (answer.status_code, answer.get_data()) == (200, TEXT)
        assert "Content-Range" not in answer.headers

    @pytest.mark.parametrize("asked", BEYOND)
    def test_a_part_behind_the_end_is_refused(self, alice, at, asked):
        answer = alice.get(at, headers={"Range": asked})
        assert code_of(answer) == (416, "range_not_satisfiable")
        assert answer.headers["Content-Range"] == f"bytes */{len(TEXT)}"

    @pytest.mark.parametrize(
        ("same", "status"),
        [("{tag}", 206), ('"other"', 200), ("W/{tag}", 200), ("Thu, 01 Jan 2026 00:00:00 GMT", 200),
         ("Thu, 01 Jan 2099 00:00:00 GMT", 200)],
    )  # fmt: skip
    def test_a_part_of_something_else_is_the_whole(self, alice, at, file, same, status):
        """If-Range: a date never is the file, and weak tags do not count (RFC 9110, 13.1.5)."""
        tag = f'"{file["sha256"]}"'
        answer = alice.get(at, headers={"Range": "bytes=0-3", "If-Range": same.format(tag=tag)})
        assert (answer.status_code, answer.get_data()) == (status, TEXT[:4] if status == 206 else TEXT)


@pytest.mark.parametrize(
    ("known", "status"), [("{tag}", 304), ("W/{tag}", 304), ('"a", {tag}', 304), ("*", 304), ('"other"', 200)]
)
def test_who_has_it_is_told_so(alice, at, file, known, status):
    for method in ("GET", "HEAD"):
        tag = f'"{file["sha256"]}"'
        answer = alice.open(
            method, at, headers={"If-None-Match": known.format(tag=tag), "Range": "bytes=0-3"}
        )
        assert answer.status_code in {status, 206 if status == 200 else status}
        assert answer.headers["ETag"] == tag
        if status == 304:
            assert answer.get_data() == b""


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ('say "kelp".txt', "say _kelp_.txt"),
        ("K\xe4se.txt", "Kase.txt"),
        ("\U0001f419.txt", "_.txt"),
        ("100%.txt", "100_.txt"),
        ("a'b;c=d,e.txt", "a_b_c=d,e.txt"),
        ("\u6d77\u85fb.txt", "__.txt"),
        ("plain.txt", "plain.txt"),
    ],
)
def test_the_name_is_told_in_both_ways(alice, reef, name, plain):
    """RFC 6266 and RFC 8187."""
    file = alice.uploads(reef).json
    where = f"/projects/{reef.id}/files/{file['id']}"
    assert alice.patch(where, json={"name": name}).json["name"] == name
    told = alice.get(f"{where}/content").headers["Content-Disposition"]
    found = re.fullmatch(
        r"""attachment; filename="([^"\\%]+)"; filename\*=UTF-8''([A-Za-z0-9%._~-]+)""", told
    )
    assert (found[1], unquote(found[2])) == (plain, name)


@pytest.mark.parametrize(
    ("name", "content", "shown"),
    [("a.png", see_through, "inline"), ("a.jpg", photo, "inline"), ("a.txt", lambda: TEXT, "attachment"),
     ("a.json", lambda: b"{}", "attachment"), ("a.md", lambda: b"# Kelp", "attachment")],
)  # fmt: skip
def test_only_what_can_do_nothing_is_shown_in_place(alice, reef, name, content, shown):
    """SEC-46."""
    file = alice.uploads(reef, name, content()).json
    where = f"/projects/{reef.id}/files/{file['id']}/content"
    assert alice.get(where).headers["Content-Disposition"].startswith(f"{shown};")
    assert alice.get(f"{where}?download=true").headers["Content-Disposition"].startswith("attachment;")
    assert alice.get(where).headers["Content-Security-Policy"] == POLICY


def test_who_wants_to_is_sent_to_the_address(alice, at, file, anonymous):
    answer = alice.get(f"{at}?redirect=true")
    assert (answer.status_code, answer.get_data()) == (302, b"")
    assert answer.headers["Location"] == file["content_url"]
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("query", ["redirect=perhaps", "download=7", "name=a"])
def test_other_parameters_are_refused(alice, at, query):
    assert code_of(alice.get(f"{at}?{query}")) == (422, "validation_failed")


def test_a_web_server_in_front_is_told_where_the_file_is(alice, at, make_app, settings):
    """ACCEL_REDIRECT: the body stays empty, nginx cuts the part out itself."""
    person = ApiClient(make_app(accel_redirect="/internal/"), alice.token)
    for headers in ({}, {"Range": "bytes=0-3"}):
        answer = person.get(at, headers=headers)
        assert (answer.status_code, answer.get_data()) == (200, b"")
        place = unquote(answer.headers["X-Accel-Redirect"].removeprefix("/internal/"))
        assert (settings.storage_dir / place).read_bytes() == TEXT
        assert answer.headers["Content-Disposition"].startswith("attachment;")
    refused = person.get(at, headers={"Range": BEYOND[0]})
    assert code_of(refused) == (416, "range_not_satisfiable")


class TestThumbnails:
    @pytest.fixture
    def picture(self, alice, reef, do_jobs):
        file = alice.uploads(reef, "north wall.jpg", photo(size=(2_000, 1_500))).json
        do_jobs()
        return f"/projects/{reef.id}/files/{file['id']}/thumbnail"

    @pytest.mark.parametrize(("asked", "width"), [("", 256), ("?size=1", 256), ("?size=256", 256), ("?size=257", 1024),
                                                  ("?size=1024", 1024)])  # fmt: skip
    def test_the_next_larger_one_is_sent(self, alice, picture, asked, width):
        import io

        from PIL import Image

        answer = alice.get(picture + asked)
        assert (answer.status_code, answer.mimetype) == (200, "image/webp")
        with Image.open(io.BytesIO(answer.get_data())) as image:
            assert image.size == (width, width * 3 // 4)
        assert answer.headers["ETag"] == f'"{hashlib.sha256(answer.get_data()).hexdigest()}"'
        assert answer.headers["Content-Disposition"].startswith('inline; filename="north wall.jpg.webp"')

    @pytest.mark.parametrize("size", ["0", "1025", "kelp", "-1"])
    def test_other_sizes_are_refused(self, alice, picture, size):
        assert code_of(alice.get(f"{picture}?size={size}")) == (422, "validation_failed")

    def test_a_file_that_is_no_picture_has_none(self, alice, at):
        assert code_of(alice.get(at.replace("/content", "/thumbnail"))) == (404, "not_found")
