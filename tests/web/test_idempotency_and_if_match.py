"""An Idempotency-Key and If-Match on one request: a stale version stays a 412, and frees the key."""


def test_a_stale_if_match_under_a_key_is_412_and_the_key_is_free(alice):
    project = alice.creates()
    alice.patch(f"/projects/{project.id}", json={"name": "Reef survey 2026"})
    headers = {"If-Match": '"1"', "Idempotency-Key": "rename-1"}
    stale = alice.patch(f"/projects/{project.id}", json={"name": "Tide tables"}, headers=headers)
    assert stale.status_code == 412
    assert stale.json["current"]["name"] == "Reef survey 2026"
    headers["If-Match"] = stale.headers["ETag"]
    assert (
        alice.patch(f"/projects/{project.id}", json={"name": "Tide tables"}, headers=headers).status_code
        == 200
    )
