"""Where the service keeps files itself, nothing can be sent past it."""

import pytest


def test_start_upload_says_that_files_come_through_the_server(alice, reef, rows, room):
    told = {"name": "reef.txt", "size": 10, "content_type": "text/plain", "sha256": "5c" * 32}
    answer = alice.post(f"/projects/{reef.id}/uploads", json=told)
    assert (answer.status_code, answer.json["code"]) == (409, "write_conflict")
    assert (rows("uploads"), rows("doomed_objects"), room(reef)) == (0, 0, (0, 0, 0))


@pytest.mark.parametrize("known", ["resumable", "nothing"])
def test_only_direct_uploads_can_be_completed(alice, tus, reef, known):
    upload = tus.begins(10).rpartition("/")[2] if known == "resumable" else reef.id
    assert alice.post(f"/projects/{reef.id}/uploads/{upload}/complete").status_code == 404


@pytest.mark.parametrize(
    ("size", "status"), [("10", 409), ("10.0", 409), ("1e1", 409), ("10.5", 422), ("1e300", 422)]
)
def test_a_whole_number_may_be_written_with_a_point(alice, reef, size, status):
    """To JSON Schema 10.0 is an integer, and so some clients write it."""
    told = f'{{"name": "reef.txt", "size": {size}, "content_type": "text/plain", "sha256": "{"5c" * 32}"}}'
    answer = alice.post(f"/projects/{reef.id}/uploads", data=told, content_type="application/json")
    assert answer.status_code == status
