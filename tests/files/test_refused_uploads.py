"""Uploads that come to nothing: each is told why, and none leaves a row, an object or a reservation behind (D14)."""

import io

import pytest

from tests.fixtures.accounts import code_of
from tests.fixtures.client import ApiClient
from tests.fixtures.forms import FORM, chunked, form, part

LARGEST = 2_000
WHOLE = form(part())


def sends(person, project, body=WHOLE, content_type=FORM, **options):
    return person.post(f"/projects/{project.id}/files", data=body, content_type=content_type, **options)


@pytest.mark.parametrize(
    ("state", "expected"), [("archived", (409, "project_archived")), ("deleted", (409, "project_deleted"))]
)
def test_a_project_that_is_put_away_takes_nothing(alice, in_state, nothing_left, state, expected):
    project = in_state(alice, state)
    assert code_of(alice.uploads(project)) == expected
    assert nothing_left()


class TestSize:
    @pytest.fixture
    def narrow(self, alice, kept_app):
        """Alice, where files may have 2,000 bytes."""
        return ApiClient(kept_app(upload_max_bytes=LARGEST), alice.token)

    def test_the_largest_file_fits_to_the_byte(self, narrow, reef, subtests):
        for size, expected in ((LARGEST, (201, None)), (LARGEST + 1, (413, "file_too_large"))):
            with subtests.test(size=size):
                assert code_of(sends(narrow, reef, form(part(b"k" * size)))) == expected

    @pytest.mark.parametrize("size", [LARGEST + 1, LARGEST + 70_000, LARGEST + 800_000])
    @pytest.mark.parametrize("framed", ["length", "chunked"])
    def test_a_larger_one_is_told_how_large_it_may_be(self, narrow, reef, nothing_left, framed, size):
        body = form(part(b"k" * size))
        sent = chunked(body) if framed == "chunked" else {"data": body, "content_type": FORM}
        answer = narrow.post(f"/projects/{reef.id}/files", **sent)
        assert code_of(answer) == (413, "file_too_large")
        assert answer.json["max"] == LARGEST
        assert nothing_left()

    def test_a_client_that_says_it_is_large_need_not_send_it(self, narrow, reef, nothing_left):
        answer = sends(narrow, reef, b"", environ_overrides={"CONTENT_LENGTH": str(2**40)})
        assert (code_of(answer), answer.json["max"]) == ((413, "file_too_large"), LARGEST)
        assert nothing_left()

    def test_the_head_of_a_part_may_not_be_endless(self, alice, reef, nothing_left):
        endless = part().replace(b"\r\n\r\n", b"\r\nX-Kelp: " + b"k" * 900_000 + b"\r\n\r\n")
        assert code_of(sends(alice, reef, form(endless))) == (400, "bad_request")
        assert nothing_left()


class TestForm:
    """The form has one part, which is named ``file`` and has a file name; all else is told by name."""

    @pytest.mark.parametrize(
        ("body", "field", "code"),
        [
            (form(), "file", "required"),
            (form(part(), part()), "file", "unknown_field"),
            (form(part(), part(name="more", filename=None)), "more", "unknown_field"),
            (form(part(name="more", filename=None), part()), "more", "unknown_field"),
            (form(part(name="picture")), "picture", "unknown_field"),
            (form(part(filename=None)), "file", "wrong_type"),
            (form(part(filename="...")), "name", "invalid_format"),
            (form(part(filename="")), "name", "invalid_format"),
        ],
        ids=["nothing", "two files", "a field behind", "a field in front", "another name", "no file name", "dots",
             "an empty name"],
    )  # fmt: skip
    def test_another_form_is_refused_by_the_name_of_its_part(
        self, alice, reef, nothing_left, body, field, code
    ):
        answer = sends(alice, reef, body)
        assert code_of(answer) == (422, "validation_failed")
        assert [(fault["field"], fault["code"]) for fault in answer.json["errors"]] == [(field, code)]
        assert nothing_left()

    @pytest.mark.parametrize(
        "parts",
        [(part(name="more"),), (part(name="more"), part()), (part(), part(name="more"))],
        ids=["alone", "in front", "behind"],
    )
    def test_who_names_the_part_otherwise_is_told_its_name(self, alice, reef, parts):
        (fault,) = sends(alice, reef, form(*parts)).json["errors"]
        assert fault["detail"] == "This part is not known here. The form has one part, named file."

    @pytest.mark.parametrize(
        "body",
        [
            WHOLE[:-10], WHOLE[:60], WHOLE.replace(b"\r\n\r\n", b"", 1), b"kelp", b"--kelp", b"--kelp\n--kelp--",
            WHOLE.replace(b"Content-Disposition", b"Disposition"), b"\r\n" * 100, WHOLE.replace(b"--kelp", b"--dulse"),
        ],
        ids=["no end", "a head that ends", "no empty line", "no part", "a boundary", "nothing in it", "no disposition",
             "lines", "another boundary"],
    )  # fmt: skip
    def test_a_broken_form_is_refused(self, alice, reef, nothing_left, body):
        assert code_of(sends(alice, reef, body)) in {(400, "bad_request"), (422, "validation_failed")}
        assert nothing_left()

    @pytest.mark.parametrize("framed", ["length", "chunked"])
    def test_a_form_that_is_cut_off_in_the_file_is_no_file(self, alice, reef, nothing_left, framed):
        body = form(part(b"kelp " * 100_000))[:-300_000]
        if framed == "chunked":
            answer = alice.post(f"/projects/{reef.id}/files", **chunked(body))
        else:
            answer = sends(alice, reef, body)
        assert code_of(answer) == (400, "bad_request")
        assert nothing_left()

    def test_a_client_that_leaves_in_the_middle_leaves_nothing(self, alice, reef, nothing_left):
        body = form(part(b"kelp " * 100_000))
        told = {"wsgi.input": io.BytesIO(body[:200_000]), "CONTENT_LENGTH": str(len(body))}
        answer = sends(alice, reef, None, environ_overrides=told)
        assert code_of(answer) == (400, "bad_request")
        assert nothing_left()

    @pytest.mark.parametrize(
        "content_type",
        ["application/json", "multipart/form-data", "multipart/mixed; boundary=kelp", "text/plain", None,
         "application/x-www-form-urlencoded"],
    )  # fmt: skip
    def test_other_media_types_are_refused(self, alice, reef, nothing_left, content_type):
        answer = sends(alice, reef, content_type=content_type)
        assert code_of(answer) == (415, "unsupported_media_type")
        assert nothing_left()

    def test_an_empty_file_is_none(self, alice, reef, nothing_left):
        assert code_of(alice.uploads(reef, content=b"")) == (415, "file_type_not_allowed")
        assert nothing_left()

    def test_a_parameter_is_not_known(self, alice, reef, nothing_left):
        answer = alice.post(f"/projects/{reef.id}/files?name=kelp", data=WHOLE, content_type=FORM)
        assert code_of(answer) == (422, "validation_failed")
        assert nothing_left()


class TestRoom:
    @pytest.mark.parametrize("setting", ["project_quota_bytes", "account_quota_bytes"])
    def test_a_full_project_says_how_much_is_left(self, alice, reef, kept_app, counted, stored, setting):
        person = ApiClient(kept_app(**{setting: 100}), alice.token)
        assert sends(person, reef, form(part(b"k" * 70))).status_code == 201
        refused = sends(person, reef, form(part(b"k" * 31)))
        assert (code_of(refused), refused.json["left"]) == ((403, "quota_exceeded"), 30)
        assert refused.json["scope"] == setting.partition("_")[0]
        assert sends(person, reef, form(part(b"k" * 30))).status_code == 201
        full = sends(person, reef, form(part(b"k")))
        assert (code_of(full), full.json["left"]) == ((403, "quota_exceeded"), 0)
        assert counted(reef) == (2, 100, 0)
        assert len(stored()) == 2

    @pytest.mark.parametrize("setting", ["project_quota_bytes", "account_quota_bytes"])
    def test_a_body_without_a_length_is_held_to_it_too(self, alice, reef, kept_app, nothing_left, setting):
        person = ApiClient(kept_app(**{setting: 100}), alice.token)
        answer = person.post(f"/projects/{reef.id}/files", **chunked(form(part(b"k" * 101))))
        assert (code_of(answer), answer.json["left"]) == ((403, "quota_exceeded"), 100)
        assert answer.json["scope"] == setting.partition("_")[0]
        assert nothing_left()


class TestOutages:
    def test_while_the_service_is_read_only_nothing_comes_in(self, alice, reef, kept_app, nothing_left):
        person = ApiClient(kept_app(read_only=True), alice.token)
        answer = sends(person, reef)
        assert (code_of(answer), answer.headers["Retry-After"]) == ((503, "read_only"), "30")
        assert nothing_left()

    def test_while_the_storage_is_away_nothing_is_visible(
        self, alice, reef, make_app, nothing_left, tmp_path
    ):
        """D14: the folder of the storage is where a file is."""
        (tmp_path / "file").write_text("no folder")
        person = ApiClient(make_app(storage_dir=tmp_path / "file" / "storage"), alice.token)
        answer = sends(person, reef)
        assert code_of(answer) == (503, "storage_unavailable")
        assert answer.headers["Retry-After"]
        assert alice.get(f"/projects/{reef.id}/files").json["items"] == []
        assert nothing_left()

    def test_a_full_disk_in_the_middle_leaves_nothing(self, alice, reef, full_disk, nothing_left):
        """D14: no row, no part of a file, no room held."""
        assert code_of(sends(alice, reef, form(part(b"kelp " * 200_000)))) == (503, "storage_unavailable")
        assert nothing_left()
        full_disk.undo()
        assert sends(alice, reef).status_code == 201

    @pytest.fixture
    def full_disk(self):
        """The system lets nobody write more than 300,000 bytes into a file: what a full disk says, said by the kernel."""
        import resource
        import signal

        class Limit:
            before = resource.getrlimit(resource.RLIMIT_FSIZE)
            handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

            def undo(self):
                resource.setrlimit(resource.RLIMIT_FSIZE, self.before)

        limit = Limit()
        resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, limit.before[1]))
        yield limit
        limit.undo()
        signal.signal(signal.SIGXFSZ, limit.handler)
