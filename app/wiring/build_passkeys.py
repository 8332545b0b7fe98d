"""Passkeys: rows that others ask about first, then the service, which asks about the account's other factors."""

from dataclasses import dataclass

from app.passkeys.ceremonies import Ceremonies
from app.passkeys.challenges import Challenges
from app.passkeys.check import PasskeyCheck
from app.passkeys.repository import ChallengeRepository, PasskeyRepository
from app.passkeys.service import PasskeyService
from app.second_factor.service import SecondFactorService
from app.sessions.grants import Grants
from app.users.notices import SecurityNotices
from app.users.service import UserService
from app.wiring.foundations import Foundations


@dataclass
class PasskeyParts:
    """What stands below the second factor: ``rows`` say who has a passkey, ``check`` whether one proves its owner."""

    rows: PasskeyRepository
    challenges: Challenges
    ceremonies: Ceremonies
    check: PasskeyCheck

    @classmethod
    def of(cls, base: Foundations, users: UserService) -> "PasskeyParts":
        rows = PasskeyRepository(base.uow)
        challenges = Challenges(base.uow, ChallengeRepository(base.uow), base.clock)
        ceremonies = Ceremonies(base.settings)
        check = PasskeyCheck(base.uow, rows, challenges, ceremonies, users, base.clock)
        return cls(rows, challenges, ceremonies, check)

    def service(
        self,
        base: Foundations,
        users: UserService,
        factors: SecondFactorService,
        grants: Grants,
        notices: SecurityNotices,
    ) -> PasskeyService:
        made: PasskeyService = base.add(
            PasskeyService(
                base.uow,
                self.rows,
                self.challenges,
                self.ceremonies,
                users,
                factors,
                grants,
                notices,
                base.clock,
            )
        )
        return made
