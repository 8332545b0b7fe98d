"""ETag, If-None-Match, If-Match on projects (SEC-51, RFC 9110 section 13)."""

import re

import pytest

TAG = re.compile(r'"(\d+)\.[0-9a-f]+"')
CURRENT = [
    "{tag}", "W/{tag}", '"{version}"', 'W/"{version}"', '"{version}.0123456789abcdef"', '"700", {tag}',
    '"1.aa" ,W/"{version}.bb"', " {tag} ", "*",
]  # fmt: skip
STALE = [
    '"1"',
    '"1.0123456789abcdef"',
    'W/"1.0123456789abcdef"',
    '"3"',
    '"1", "3"',
    '"two"',
    "2",
    '"',
    "",
    "W/*",
]


@pytest.fixture
def project(alice):
    """At version 2."""
    made = alice.creates()
    alice.patch(f"/projects/{made.id}", json={"description": "What grows where."})
    return made


@pytest.fixture
def path(project):
    return f"/projects/{project.id}"


def test_the_tag_is_the_version_and_a_digest_of_the_body(alice, path):
    plain, wide = alice.get(path), alice.get(f"{path}?expand=owner")
    assert TAG.fullmatch(plain.headers["ETag"])[1] == "2"
    assert TAG.fullmatch(wide.headers["ETag"])[1] == "2"
    assert plain.headers["ETag"] != wide.headers["ETag"]
    assert alice.get(path).headers["ETag"] == plain.headers["ETag"]


def test_viewers_get_tags_of_their_own(alice, bob, joins, project, path):
    joins(bob, project, "viewer")
    assert alice.get(path).headers["ETag"] != bob.get(path).headers["ETag"]


def test_every_answer_with_the_resource_carries_its_tag(alice, path):
    for method, address, request in (
        ("POST", "/projects", {"json": {"name": "Kelp"}}),
        ("PATCH", path, {"json": {"name": "Kelp"}}),
        ("POST", f"{path}/archive", {}),
        ("POST", f"{path}/unarchive", {}),
        ("POST", f"{path}/restore", {}),
    ):
        response = alice.open(method, address, **request)
        read = alice.get(f"/projects/{response.json['id']}")
        assert response.headers["ETag"] == read.headers["ETag"]


def test_a_known_tag_is_answered_with_304_and_no_body(alice, path, subtests):
    tag = alice.get(path).headers["ETag"]
    for sent in (tag, f"W/{tag}", f'"1.0", {tag}', f'{tag}, "9"', f'W/"1.0" , W/{tag}', "*"):
        with subtests.test(sent=sent):
            response = alice.get(path, headers={"If-None-Match": sent})
            assert (response.status_code, response.get_data()) == (304, b"")
            assert response.headers["ETag"] == tag
            assert response.headers["Cache-Control"] == "private, no-cache"
            assert "Content-Type" not in response.headers


def test_another_tag_gets_the_body(alice, path, subtests):
    for sent in ('"2"', '"2.0123456789abcdef"', '"1.0"', "junk", ""):
        with subtests.test(sent=sent):
            assert alice.get(path, headers={"If-None-Match": sent}).status_code == 200


def test_a_304_is_for_those_who_may_read(alice, charlie, path):
    for header in (alice.get(path).headers["ETag"], "*"):
        assert charlie.get(path, headers={"If-None-Match": header}).status_code == 404


def test_a_changed_project_is_read_whole_again(alice, path):
    tag = alice.get(path).headers["ETag"]
    alice.patch(path, json={"name": "Kelp"})
    response = alice.get(path, headers={"If-None-Match": tag})
    assert (response.status_code, response.json["name"]) == (200, "Kelp")


def test_a_current_version_passes_in_every_spelling(alice, path, subtests):
    """The version alone counts: what a client read may differ in what it was asked to expand."""
    for number, spelling in enumerate(CURRENT):
        with subtests.test(spelling=spelling):
            read = alice.get(path)
            sent = spelling.format(tag=read.headers["ETag"], version=read.json["version"])
            response = alice.patch(path, json={"name": f"name {number}"}, headers={"If-Match": sent})
            assert (response.status_code, response.json["version"]) == (200, read.json["version"] + 1)


@pytest.mark.parametrize(("method", "body"), [("PATCH", {"json": {"name": "Kelp"}}), ("DELETE", {})])
def test_a_stale_version_is_refused_with_the_current_resource_and_its_tag(
    alice, row_of, events_of, project, path, method, body, subtests
):
    before, told, read = row_of(project.id), events_of(project.id), alice.get(path)
    for sent in STALE:
        with subtests.test(sent=sent):
            response = alice.open(method, path, headers={"If-Match": sent}, **body)
            assert (response.status_code, response.json["code"]) == (412, "version_conflict")
            assert response.mimetype == "application/problem+json"
            assert response.json["current"] == read.json
            assert response.headers["ETag"] == read.headers["ETag"]
            assert row_of(project.id) == before
            assert events_of(project.id) == told


def test_what_the_412_carried_is_good_for_the_next_try(alice, path):
    refused = alice.patch(path, json={"name": "Kelp"}, headers={"If-Match": '"1"'})
    again = alice.patch(path, json={"name": "Kelp"}, headers={"If-Match": refused.headers["ETag"]})
    assert (again.status_code, again.json["version"]) == (200, 3)


def test_permission_comes_before_the_version(alice, bob, charlie, joins, project, path):
    """A 412 shows the resource, so it is for those who could have written."""
    joins(bob, project, "viewer")
    for person, status in ((bob, 403), (charlie, 404)):
        response = person.patch(path, json={"name": "Kelp"}, headers={"If-Match": '"1"'})
        assert response.status_code == status
        assert "current" not in response.json


def test_a_member_sees_the_current_resource_through_their_own_role(alice, bob, joins, project, path):
    joins(bob, project, "editor")
    refused = bob.patch(path, json={"name": "Kelp"}, headers={"If-Match": '"1"'})
    assert refused.json["current"]["my_role"] == "editor"
    assert refused.headers["ETag"] == bob.get(path).headers["ETag"]


def test_without_if_match_the_last_one_wins(alice, path):
    """Never required: no 428."""
    assert alice.patch(path, json={"name": "Kelp"}).status_code == 200
    assert alice.delete(path).status_code == 204


def test_a_version_may_be_long_and_mean_none(alice, path):
    for digits in ("9" * 18, "9" * 19, "9" * 150):
        response = alice.patch(path, json={"name": "Kelp"}, headers={"If-Match": f'"{digits}"'})
        assert response.status_code == 412


def test_of_20_edits_of_one_version_one_wins(alice, path, at_once, project, events_of):
    """SEC-51: 1 x 200 and 19 x 412; each loser is told the winner's name."""
    people = [alice.signs_in_again() for _ in range(20)]
    told = len(events_of(project.id))
    answers = at_once(
        20,
        lambda number: people[number].patch(
            path, json={"name": f"name {number}"}, headers={"If-Match": '"2"'}
        ),
    )
    statuses = sorted(answer.status_code for answer in answers)
    assert statuses == [200] + [412] * 19
    [won] = [answer.json for answer in answers if answer.status_code == 200]
    assert won["version"] == 3
    assert {answer.json["current"]["name"] for answer in answers if answer.status_code == 412} == {
        won["name"]
    }
    assert alice.get(path).json["name"] == won["name"]
    assert len(events_of(project.id)) == told + 1


def test_20_edits_without_if_match_all_count(alice, path, at_once, events_of, project):
    """Nothing is lost and nothing fails: 20 versions, 20 events, each before is the other's after."""
    people = [alice.signs_in_again() for _ in range(20)]
    answers = at_once(20, lambda number: people[number].patch(path, json={"name": f"name {number}"}))
    assert [answer.status_code for answer in answers] == [200] * 20
    assert sorted(answer.json["version"] for answer in answers) == list(range(3, 23))
    changes = [row[2]["name"] for row in events_of(project.id)[2:]]
    assert [change["before"] for change in changes[1:]] == [change["after"] for change in changes[:-1]]


def test_archiving_at_once_makes_one_version(alice, path, at_once):
    people = [alice.signs_in_again() for _ in range(10)]
    answers = at_once(10, lambda number: people[number].post(f"{path}/archive"))
    assert [answer.status_code for answer in answers] == [200] * 10
    assert {answer.json["version"] for answer in answers} == {3}
