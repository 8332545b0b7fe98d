"""The beginning of a resumable upload: what a server can, what it takes, and from whom."""

import pytest

from tests.fixtures.projects import NO_SUCH_ID
from tests.fixtures.tus import VERSION, metadata, text_of

MIB = 2**20


def test_options_tells_what_the_server_can(anonymous, tus, parts):
    for path in (tus.root, f"{tus.root}/{NO_SUCH_ID}"):
        answer = anonymous.open("OPTIONS", path)
        assert answer.status_code == 200
        assert answer.headers["Tus-Resumable"] == answer.headers["Tus-Version"] == "1.0.0"
        assert set(answer.headers["Tus-Extension"].split(",")) == {"creation", "termination", "expiration"}
        assert answer.headers["Tus-Max-Size"] == str(parts.settings.upload_max_bytes)


def test_an_upload_begins_at_nothing_and_has_an_address(tus, alice, reef, room):
    answer = tus.create(1000)
    assert answer.status_code == 201
    assert answer.get_data() == b""
    path = answer.headers["Location"].removeprefix("/api/v1")
    assert path.startswith(f"/projects/{reef.id}/tus/")
    assert answer.headers["Upload-Offset"] == "0"
    assert answer.headers["Upload-Expires"].endswith("GMT")
    assert room(reef) == (0, 0, 1000)

    told = tus.head(path)
    assert told.status_code == 200
    assert told.headers["Upload-Offset"] == "0"
    assert told.headers["Upload-Length"] == "1000"
    assert told.headers["Cache-Control"] == "no-store"
    assert told.headers["Tus-Resumable"] == "1.0.0"
    shown = alice.get(path).json
    assert (shown["offset"], shown["size"], shown["file_id"]) == (0, 1000, None)


@pytest.mark.parametrize("version", [None, "", "0.2.2", "1.0.1", "1.0.0, 1.0.0"])
def test_another_version_is_refused_with_the_one_that_is_spoken(tus, version, rows):
    path = tus.begins(10)
    sent = {"Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}
    sent |= {"Tus-Resumable": version} if version is not None else {}
    answers = [
        tus.create(10, Tus_Resumable=version),
        tus.person.patch(path, headers=sent, data=b"0123456789"),
        tus.person.delete(path, headers=sent),
    ]
    for answer in answers:
        assert (answer.status_code, answer.json["code"]) == (412, "unsupported_tus_version")
        assert answer.headers["Tus-Version"] == "1.0.0"
    assert tus.offset(path) == 0
    assert rows("uploads") == 1


@pytest.mark.parametrize(
    "length", [None, "", "0", "-1", "+5", "1.5", "1e3", "ten", "0x10", "١٢", "1" * 17, "5, 5"]
)
def test_a_length_is_a_whole_number(tus, length, rows):
    if length == "١٢":
        length = length.encode().decode("latin-1")
    answer = tus.create(10, Upload_Length=length)
    assert (answer.status_code, answer.json["code"]) == (422, "validation_failed")
    assert answer.json["errors"][0]["field"] == "Upload-Length"
    assert answer.json["errors"][0]["location"] == "header"
    assert rows("uploads") == 0


def test_a_length_that_comes_later_is_not_taken(tus, rows):
    assert tus.create(10, Upload_Length=None, Upload_Defer_Length="1").status_code == 422
    assert rows("uploads") == 0


def test_a_file_that_is_too_large_is_refused_before_it_comes(tus, parts, rows):
    most = parts.settings.upload_max_bytes
    answer = tus.create(most + 1)
    assert (answer.status_code, answer.json["code"], answer.json["max"]) == (413, "file_too_large", most)
    assert tus.create(10**16 - 1).status_code == 413
    assert rows("uploads") == 0
    assert tus.create(most).status_code == 201


@pytest.mark.parametrize(
    "told",
    [
        None, "", "filename", "filename ", "filetype dGV4dC9wbGFpbg==", "filename !!!", "filename cmVlZi50eHQ",
        "filename _-8=", "filename /////w==", "filename cmVlZi50eHQ=,filename a2VscC50eHQ=", "filename LgAu",
        metadata(filename="reef.txt", filetype="x" * 128), metadata(filename="reef.txt", filetype="text/plain\x00"),
        metadata(filename="reef.txt", filetype="text/plain\r\nX-Evil: 1"), metadata(filename="\u202e..\x00"),
    ],
)  # fmt: skip
def test_metadata_must_name_the_file(tus, told, rows):
    answer = tus.create(10, Upload_Metadata=told)
    assert (answer.status_code, answer.json["code"]) == (422, "validation_failed")
    assert rows("uploads") == 0


@pytest.mark.parametrize(
    ("told", "name"),
    [
        (metadata(filename="reef.txt"), "reef.txt"),
        (metadata(name="reef.txt", type="text/plain"), "reef.txt"),
        (metadata(filename="Ölfisch é.txt", is_draft="yes") + ",lonely", "Ölfisch é.txt"),
        (" , " + metadata(filename="../../etc/passwd.txt"), "passwd.txt"),
        (metadata(filename="n" * 400 + ".txt"), "n" * 251 + ".txt"),
    ],
)
def test_sec_46_the_name_is_what_is_left_when_folders_and_the_unseen_are_gone(tus, alice, reef, told, name):
    path = tus.begins(4, Upload_Metadata=told)
    assert tus.append(path, 0, b"kelp").status_code == 204
    assert alice.get(f"/projects/{reef.id}/files/{tus.file_of(path)}").json["name"] == name


def test_sec_46_a_type_that_is_never_taken_is_refused_by_its_name(tus, rows):
    for name in ("page.html", "drawing.svg", "setup.exe"):
        answer = tus.create(10, name)
        assert (answer.status_code, answer.json["code"]) == (415, "file_type_not_allowed"), name
    assert rows("uploads") == 0


def test_who_may_begin_and_go_on(tus, alice, bob, charlie, anonymous, reef, joins, rows):
    path = tus.begins(10)
    joins(bob, reef, "viewer")
    for person, status in ((anonymous, 401), (bob, 403), (charlie, 404)):
        sent = {**VERSION, "Upload-Length": "10", "Upload-Metadata": metadata(filename="reef.txt")}
        answer = person.post(tus.root, headers=sent)
        assert answer.status_code == status
        assert answer.headers["Tus-Resumable"] == "1.0.0"
        there = 401 if person is anonymous else 404
        goes_on = {**VERSION, "Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}
        assert person.patch(path, headers=goes_on, data=b"0123456789").status_code in {status, there}
        assert person.get(path).status_code == there
        assert person.open("HEAD", path).status_code == there
        assert person.delete(path, headers=VERSION).status_code in {status, there}
    assert rows("uploads") == 1
    assert tus.offset(path) == 0


def test_sec_40_an_upload_is_its_makers_alone_and_belongs_to_its_project(tus, alice, bob, reef, joins):
    joins(bob, reef, "editor")
    path = tus.begins(10)
    other = alice.creates("Kelp forest")
    elsewhere = path.replace(str(reef.id), str(other.id))
    sent = {**VERSION, "Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}
    for person, address in ((bob, path), (alice, elsewhere), (alice, f"{tus.root}/{NO_SUCH_ID}")):
        assert person.get(address).status_code == 404
        assert person.open("HEAD", address).status_code == 404
        assert person.patch(address, headers=sent, data=b"0123456789").status_code == 404
        assert person.delete(address, headers=VERSION).status_code == 404
    assert tus.append(path, 0, text_of(10)).status_code == 204


@pytest.mark.parametrize(
    ("state", "code"), [("archived", "project_archived"), ("deleted", "project_deleted")]
)
def test_nothing_begins_in_a_project_that_takes_no_changes(alice, in_state, state, code, rows):
    project = in_state(alice, state)
    sent = {**VERSION, "Upload-Length": "10", "Upload-Metadata": metadata(filename="reef.txt")}
    answer = alice.post(f"/projects/{project.id}/tus", headers=sent)
    assert (answer.status_code, answer.json["code"]) == (409, code)
    assert rows("uploads") == 0
