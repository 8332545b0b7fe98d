"""X-HTTP-Method-Override: for resumable uploads, which the protocol wants it for, and for nothing else."""

import pytest

from tests.fixtures.tus import OCTETS, VERSION, Tus

OVERRIDE = "X-HTTP-Method-Override"


@pytest.fixture
def reef(alice):
    return alice.creates("Reef survey")


@pytest.fixture
def path(alice, reef):
    return Tus(alice, reef).begins(4)


def means(person, path, method, **options):
    headers = {**VERSION, OVERRIDE: method, **options.pop("headers", {})}
    return person.http.open(
        f"/api/v1{path}",
        method="POST",
        headers={"Authorization": f"Bearer {person.token}", **headers},
        **options,
    )


def test_a_post_may_mean_patch_or_delete_of_a_resumable_upload(alice, path):
    sent = {"Upload-Offset": "0", "Content-Type": OCTETS}
    assert means(alice, path, "PATCH", headers=sent, data=b"ke").status_code == 204
    assert int(alice.open("HEAD", path).headers["Upload-Offset"]) == 2
    assert means(alice, path, "DELETE").status_code == 204
    assert alice.get(path).status_code == 404


@pytest.mark.parametrize(
    "method", ["GET", "HEAD", "PUT", "OPTIONS", "POST", "patch", "DELETE ", "PATCH, DELETE", ""]
)
def test_it_means_nothing_else(alice, path, method):
    assert means(alice, path, method).status_code == 405
    assert alice.get(path).status_code == 200


@pytest.mark.parametrize("way", ["get", "patch"])
def test_only_a_post_means_something_else(alice, path, way):
    alice.open(way.upper(), path, headers={**VERSION, OVERRIDE: "DELETE"})
    assert alice.get(path).status_code == 200


def test_sec_52_on_any_other_address_it_means_nothing(alice, reef, path):
    project = f"/projects/{reef.id}"
    for address in (project, f"{project}/tus", f"{path}/", f"{path}%0A", f"/{path}", "/me", "/projects"):
        for method in ("PATCH", "DELETE"):
            answer = means(alice, address, method, json={"name": "Taken"})
            assert answer.status_code != 204, address
    assert alice.get(project).json["name"] == "Reef survey"
    assert alice.get(path).status_code == 200


def test_who_is_not_signed_in_is_not_helped_by_it(alice, anonymous, path):
    sent = {**VERSION, OVERRIDE: "DELETE"}
    assert anonymous.http.post(f"/api/v1{path}", headers=sent).status_code == 401
    assert alice.get(path).status_code == 200
