"""The checker of `benchmarks.coherence` sees what it is there to see: a service that lies is caught."""

import pytest

from benchmarks.coherence_clients import FOREIGN, REMOVED, STALE, Answer, Crowd

ACCEPTED = {"POST": 201, "PATCH": 200, "GET": 200, "DELETE": 204}


class Honest(Crowd):
    """Clients of a service in memory that has one project and knows who is in it."""

    def __init__(self):
        self.name, self.version, self.inside = "", 1, set()
        super().__init__(self, 4)
        self.answers.clear()
        self.bob, [self.project] = self.people[1], self.projects

    def sign_in(self, number):
        return {"user": {"id": f"id{number}"}, "access_token": f"token{number}"}

    def ask(self, deed, method, path, person, body=None, headers=None):
        status, told = ACCEPTED[method], None
        owner = person.email.startswith("user1@")
        if path == "/projects":
            self.name = body["name"]
        elif deed == "accept":
            status = 200
            self.inside.add(person.email)
        elif deed == "invite":
            told = {"id": "i"}
        elif deed == "remove":
            self.inside.discard(self.bob.email)
        elif not owner and person.email not in self.inside:
            status = 404
        elif deed == "write":
            self.name, self.version = body["name"], self.version + 1
        if status < 300 and told is None:
            told = self.shown(person, owner)
        if path.startswith("/projects?") and status == 200:
            told = {"items": [told]}
        return self.altered(deed, Answer(status, told, f'"{self.version}"', "n"))

    def shown(self, person, owner):
        role = "owner" if owner else "editor"
        return {
            "id": "p", "name": self.name, "description": self.name[:9], "version": self.version, "my_role": role,
            "owner_id": "id1",
        }  # fmt: skip

    def altered(self, _deed, answer):
        return answer

    def kinds(self):
        return {fault.kind for fault in self.faults}


class ShowsAnOldVersion(Honest):
    def altered(self, deed, answer):
        old = deed == "read" and answer.status == 200 and self.version > 1
        return Answer(200, {**answer.told, "version": 1}, '"1"', "n") if old else answer


class SaysNotModified(Honest):
    def altered(self, deed, answer):
        return Answer(304, None, "", "n") if deed == "read" and self.version > 2 else answer


class LetsInWhoIsOut(Honest):
    def altered(self, deed, answer):
        lets_in = deed == "read" and answer.status == 404
        return Answer(200, self.shown(self.bob, owner=False), '"1"', "n") if lets_in else answer


class ShowsAnother(Honest):
    def altered(self, deed, answer):
        shows = deed == "read" and answer.status == 200
        return Answer(200, {**answer.told, "description": "mark 0007"}, '"1"', "n") if shows else answer


class RefusesWhoIsIn(Honest):
    def altered(self, deed, answer):
        return Answer(404, None, "", "n") if deed == "read" and answer.status == 200 else answer


class IsBusyOnce(Honest):
    """Refuses each first acceptance, and whoever is invited a second time before that."""

    def __init__(self):
        self.invited = self.busy = False
        super().__init__()

    def ask(self, deed, method, path, person, body=None, headers=None):
        if deed == "invite" and self.invited:
            return Answer(409, None, "", "n")
        if deed == "invite":
            self.invited = self.busy = True
        if deed == "accept" and self.busy:
            self.busy = False
            return Answer(503, None, "", "n")
        self.invited = self.invited and deed != "accept"
        return super().ask(deed, method, path, person, body, headers)


class IsAlwaysBusy(Honest):
    """Takes nobody in again."""

    def ask(self, deed, method, path, person, body=None, headers=None):
        if deed == "accept" and self.projects_are_there:
            return Answer(503, None, "", "n")
        return super().ask(deed, method, path, person, body, headers)

    @property
    def projects_are_there(self):
        return bool(getattr(self, "projects", None))


def asked(crowd):
    for _ in range(2):
        crowd.write(crowd.bob, crowd.project)
    crowd.remove(crowd.project, crowd.bob)
    return crowd


def test_an_honest_service_has_no_faults():
    crowd = asked(Honest())
    assert crowd.faults == []
    assert crowd.checks[STALE] > 0
    assert crowd.checks[REMOVED] > 0
    assert crowd.checks[FOREIGN] > 0


def test_an_answer_busy_is_asked_for_again_and_no_fault():
    crowd = asked(IsBusyOnce())
    assert crowd.faults == []
    assert crowd.bob.email in crowd.inside


def test_nothing_is_asked_of_who_may_be_in_or_out():
    crowd = asked(IsAlwaysBusy())
    crowd.read(crowd.bob, crowd.project, known=False)
    assert crowd.faults == []


@pytest.mark.parametrize(
    ("liar", "kind"),
    [
        (ShowsAnOldVersion, STALE),
        (SaysNotModified, STALE),
        (RefusesWhoIsIn, STALE),
        (LetsInWhoIsOut, REMOVED),
        (ShowsAnother, FOREIGN),
    ],
)
def test_a_lie_is_seen(liar, kind):
    assert kind in asked(liar()).kinds()
