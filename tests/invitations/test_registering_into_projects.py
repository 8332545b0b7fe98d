"""Registering with an invited address lands in the project once the address is proved, and not before."""

import pytest

from app.members.service import MemberService
from tests.fixtures.accounts import coming_from, registers, registers_and_reads_mail, verifies
from tests.fixtures.client import ApiClient
from tests.fixtures.invitations import DANA, accepts, invites, listed, revokes, waiting_for


@pytest.fixture
def dana(app, anonymous, letters):
    """``dana()``: she registers and proves the address; a client that is signed in."""

    def arrive(proof="token"):
        mail = registers_and_reads_mail(anonymous, letters)
        sent = {"token": mail.token} if proof == "token" else {"email": DANA, "code": mail.code}
        answer = verifies(anonymous, **sent)
        assert answer.status_code == 200, answer.json
        return ApiClient(app, answer.json["access_token"])

    return arrive


def projects_of(person):
    return {(each["name"], each["my_role"]) for each in person.get("/projects").json["items"]}


@pytest.mark.parametrize("proof", ["token", "code"])
def test_dana_is_in_every_project_she_was_invited_to(alice, charlie, reef, dana, proof, events_of):
    invites(alice, reef, DANA, "editor")
    invites(alice, alice.creates("Kelp survey"), DANA, "viewer")
    invites(charlie, charlie.creates("Bay watch"), "Dana@EXAMPLE.com", "admin")
    newcomer = dana(proof)
    assert projects_of(newcomer) == {
        ("Reef survey", "editor"),
        ("Kelp survey", "viewer"),
        ("Bay watch", "admin"),
    }
    assert waiting_for(newcomer) == []
    assert listed(alice, reef) == [(DANA, "accepted")]
    joined = [(kind, actor) for kind, actor, _ in events_of(reef.id)][-2:]
    herself = newcomer.get("/me").json["id"]
    assert joined == [("member.added", herself), ("invitation.accepted", herself)]


def test_nothing_is_accepted_before_the_address_is_proved(alice, reef, anonymous, letters):
    invites(alice, reef, DANA)
    mail = registers_and_reads_mail(anonymous, letters)
    assert listed(alice, reef) == [(DANA, "pending")]
    assert (
        verifies(anonymous, email=DANA, code="000000" if mail.code != "000000" else "1" * 6).status_code
        == 422
    )
    assert listed(alice, reef) == [(DANA, "pending")]


def test_what_cannot_be_accepted_now_stays_open(alice, bob, charlie, reef, dana):
    archived, trashed, left = alice.creates("Archived"), alice.creates("Trashed"), charlie.creates("Left")
    for owner, project in ((alice, reef), (alice, archived), (alice, trashed), (charlie, left)):
        invites(owner, project, DANA)
    alice.post(f"/projects/{archived.id}/archive")
    alice.delete(f"/projects/{trashed.id}")
    charlie.delete("/me")
    newcomer = dana()
    assert projects_of(newcomer) == {("Reef survey", "editor")}
    assert waiting_for(newcomer) == ["Archived"]
    alice.post(f"/projects/{trashed.id}/restore")
    charlie.post("/me/restore")
    assert sorted(waiting_for(newcomer)) == ["Archived", "Left", "Trashed"]
    [restored] = [
        each for each in newcomer.get("/invitations").json["items"] if each["project"]["name"] == "Trashed"
    ]
    assert accepts(newcomer, restored).status_code == 200


def test_closed_ones_and_those_that_ran_out_are_not_accepted(alice, reef, dana, advance):
    invites(alice, reef, DANA)
    advance(days=8)
    alice = alice.signs_in_again()
    revoked = alice.creates("Kelp survey")
    assert revokes(alice, revoked, invites(alice, revoked, DANA)).status_code == 204
    newcomer = dana()
    assert projects_of(newcomer) == set()
    assert waiting_for(newcomer) == []


def test_a_contested_address_is_welcomed_too(alice, reef, anonymous, letters):
    """SEC-36: nobody's password counts, but whoever answered a mail has the mailbox, and that is what was invited."""
    invites(alice, reef, DANA)
    registers(anonymous, DANA, "a stranger waits here", **coming_from("198.51.100.9"))
    mail = registers_and_reads_mail(anonymous, letters)
    answer = verifies(anonymous, token=mail.token)
    assert answer.json["user"]["has_password"] is False
    newcomer = ApiClient(alice.app, answer.json["access_token"])
    assert projects_of(newcomer) == {("Reef survey", "editor")}


def test_whatever_goes_wrong_with_an_invitation_the_account_is_made(alice, reef, dana, monkeypatch):
    invites(alice, reef, DANA)

    def breaks(self, *_args):
        self._uow.session.connection().exec_driver_sql("SELECT 1 / 0")

    with monkeypatch.context() as patch:
        patch.setattr(MemberService, "admit", breaks)
        newcomer = dana()
    assert projects_of(newcomer) == set()
    assert waiting_for(newcomer) == ["Reef survey"]
    [waiting] = newcomer.get("/invitations").json["items"]
    assert accepts(newcomer, waiting).status_code == 200


def test_a_project_that_somebody_holds_does_not_hold_up_the_account(
    make_app, alice, reef, letters, owner_connection
):
    """The lock is waited for a moment; then the invitation waits instead."""
    invites(alice, reef, DANA)
    app = make_app(db_lock_timeout_ms=100)
    client = ApiClient(app)
    mail = registers_and_reads_mail(client, letters)
    with owner_connection.cursor() as cursor:
        cursor.execute("BEGIN")
        cursor.execute("SELECT 1 FROM projects FOR UPDATE")
        answer = verifies(client, token=mail.token)
        cursor.execute("ROLLBACK")
    assert answer.status_code == 200
    newcomer = ApiClient(app, answer.json["access_token"])
    assert projects_of(newcomer) == set()
    assert waiting_for(newcomer) == ["Reef survey"]


def test_who_was_not_invited_costs_one_statement(anonymous, letters, count_queries):
    mail = registers_and_reads_mail(anonymous, letters)
    with count_queries() as statements:
        assert verifies(anonymous, token=mail.token).status_code == 200
    assert len([each for each in statements if "invitations" in each]) == 1
