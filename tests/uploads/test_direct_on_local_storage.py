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
