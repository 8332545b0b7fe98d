"""The life of a project that four people work on, by HTTP and mails alone, before two processes of the service.

Alice owns it, Bob and Dana are invited by mail (Dana has no account yet), Charlie is nobody to it.
"""

from collections import Counter

import pytest

from tests.fixtures.accounts import code_of, registers, verifies
from tests.fixtures.client import ApiClient

FORBIDDEN, MISSING = (403, "forbidden"), (404, "not_found")
DANA, PASSWORD = "dana@example.com", "a sentence only Dana knows"


@pytest.fixture
def newest(anonymous, run_jobs):
    """``newest("bob@example.com", "invit")``: the newest mail to an address with that in its subject."""

    def find(address, word):
        for _ in range(5):
            run_jobs()
            for mail in anonymous.get(f"//dev/mailbox?to={address}").json["items"]:
                if word in mail["subject"].lower():
                    return mail
        raise AssertionError(f"no mail with {word} came to {address}")

    return find


def answers(response, status):
    assert response.status_code == status, response.text
    return response.json


def test_the_life_of_a_project(app, make_app, anonymous, alice, bob, charlie, newest):
    reef = answers(alice.post("/projects", json={"name": "Reef survey"}), 201)
    here = f"/projects/{reef['id']}"
    bob_is_invited(here, alice, bob, charlie, newest)
    dana = dana_registers_into_it(app, here, anonymous, alice, newest)
    each_does_what_the_role_allows(here, alice, bob, dana, charlie)
    it_changes_hands(here, alice, bob, newest)
    alice_leaves(here, alice, bob)
    dana_is_removed_everywhere(make_app, here, bob, dana)
    assert [(each["user"]["display_name"], each["role"]) for each in members(bob, here)] == [("Bob", "owner")]
    assert Counter(line["kind"] for line in history(bob, here)) == {
        "project.created": 1, "invitation.created": 2, "invitation.accepted": 2, "member.added": 2, "project.updated": 1,
        "member.role_changed": 3, "project.transferred": 1, "member.left": 1, "member.removed": 1,
    }  # fmt: skip


def members(person, here):
    return answers(person.get(f"{here}/members"), 200)["items"]


def history(person, here):
    return answers(person.get(f"{here}/activity?limit=100"), 200)["items"]


def bob_is_invited(here, alice, bob, charlie, newest):
    wish = {"email": bob.email, "role": "editor"}
    assert code_of(charlie.post(f"{here}/invitations", json=wish)) == MISSING
    answers(alice.post(f"{here}/invitations", json=wish), 201)
    assert code_of(alice.post(f"{here}/invitations", json=wish)) == (409, "invitation_pending")
    token = newest(bob.email, "invit")["token"]
    shown = answers(ApiClient(alice.app).post("/invitations/preview", json={"token": token}), 200)
    assert (shown["email"], shown["role"], shown["project_name"]) == (bob.email, "editor", "Reef survey")
    refused = charlie.post("/invitations/accept", json={"token": token})
    assert code_of(refused) == (403, "invitation_email_mismatch")
    assert code_of(bob.get(here)) == MISSING
    assert answers(bob.post("/invitations/accept", json={"token": token}), 200)["my_role"] == "editor"
    assert code_of(alice.post(f"{here}/invitations", json=wish)) == (409, "already_member")
    assert code_of(anonymous_preview(alice.app, token)) == (410, "invitation_closed")


def anonymous_preview(app, token):
    return ApiClient(app).post("/invitations/preview", json={"token": token})


def dana_registers_into_it(app, here, anonymous, alice, newest):
    answers(alice.post(f"{here}/invitations", json={"email": DANA, "role": "viewer"}), 201)
    assert "Reef survey" in newest(DANA, "invit")["text"]
    answers(registers(anonymous, DANA, PASSWORD), 202)
    signed_in = answers(verifies(anonymous, token=newest(DANA, "confirm")["token"]), 200)
    dana = ApiClient(app, signed_in["access_token"])
    dana.id = signed_in["user"]["id"]
    assert [each["my_role"] for each in answers(dana.get("/projects"), 200)["items"]] == ["viewer"]
    return dana


def each_does_what_the_role_allows(here, alice, bob, dana, charlie):
    assert code_of(charlie.get(here)) == MISSING
    assert code_of(dana.patch(here, json={"name": "Mine"})) == FORBIDDEN
    assert answers(bob.patch(here, json={"name": "Kelp survey"}), 200)["my_role"] == "editor"
    wish = {"email": charlie.email, "role": "viewer"}
    for person in (bob, dana):
        assert code_of(person.post(f"{here}/invitations", json=wish)) == FORBIDDEN
        assert code_of(person.post(f"{here}/archive")) == FORBIDDEN
        assert code_of(person.delete(here)) == FORBIDDEN
    assert (
        answers(alice.patch(f"{here}/members/{bob.user.id}", json={"role": "admin"}), 200)["role"] == "admin"
    )
    assert code_of(bob.patch(f"{here}/members/{dana.id}", json={"role": "admin"})) == FORBIDDEN
    assert code_of(bob.delete(f"{here}/members/{alice.user.id}")) == FORBIDDEN
    assert code_of(bob.delete(here)) == FORBIDDEN


def it_changes_hands(here, alice, bob, newest):
    heir = {"user_id": str(bob.user.id)}
    assert code_of(bob.post(f"{here}/transfer", json=heir)) == FORBIDDEN
    assert code_of(alice.post(f"{here}/leave")) == (409, "last_owner")
    assert answers(alice.post(f"{here}/transfer", json=heir), 200)["my_role"] == "admin"
    assert "Kelp survey" in newest(bob.email, "yours now")["text"]
    assert code_of(bob.post(f"{here}/leave")) == (409, "last_owner")


def alice_leaves(here, alice, bob):
    answers(alice.post(f"{here}/leave"), 204)
    assert code_of(alice.get(here)) == MISSING
    assert "Alice" not in {each["user"]["display_name"] for each in members(bob, here)}


def dana_is_removed_everywhere(make_app, here, bob, dana):
    """Two processes have shown her the project; neither does once it is answered that she was removed."""
    workers = [ApiClient(make_app(), dana.token) for _ in range(2)]
    for worker in (dana, *workers):
        answers(worker.get(here), 200)
    answers(bob.delete(f"{here}/members/{dana.id}"), 204)
    for worker in (dana, *workers):
        assert code_of(worker.get(here)) == MISSING
