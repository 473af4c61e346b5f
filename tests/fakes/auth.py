"""Fakes of auth's ports, and the rooms of auth put together over the ground with them."""

import base64
import secrets
from dataclasses import dataclass, field
from uuid import UUID

from auth.account.contacts import Contacts
from auth.account.deaths import Deaths
from auth.account.groups import Groups
from auth.account.takeovers import Takeovers
from auth.accounts import Accounts
from auth.attempts import Attempts
from auth.citizens import Citizens
from auth.consent import Consents
from auth.errors import CodeInvalid, MobileCodeInvalid, MobileUnsupported
from auth.login import Login
from auth.places.logout import Logout
from auth.places.recent import RecentSessions
from auth.realname import RealName
from auth.records import Records
from auth.sessions import Sessions
from auth.settings import AuthSettings
from auth.tidying import Tidying
from auth.tokens import Tokens
from auth.types import AccountIdentity, Caller, Grant, Level, Verdict
from core.db import forbid_inside_transaction
from core.errors import FieldError, Problem
from core.pii import IdNumber, Mobile, PersonName, Secret
from tests.conftest import Ground
from tests.fakes.staff import Staff, make_staff


class FakeMiniProgram:
    """Gives codes and takes each once. `trouble` is what every call fails with while it is set."""

    def __init__(self) -> None:
        self.trouble: Problem | None = None
        self._openids: dict[str, str] = {}
        self._mobiles: dict[str, str] = {}

    def code_for(self, openid: str) -> str:
        """Give a login code of an account, as `wx.login` would."""
        code = secrets.token_hex(8)
        self._openids[code] = openid
        return code

    def mobile_code_for(self, mobile: str) -> str:
        """Give a code for a mobile number, as the button would; a foreign number begins with `+`."""
        code = secrets.token_hex(8)
        self._mobiles[code] = mobile
        return code

    async def identify(self, code: str) -> AccountIdentity:
        forbid_inside_transaction()
        if self.trouble is not None:
            raise self.trouble
        openid = self._openids.pop(code, None)
        if openid is None:
            raise CodeInvalid
        return AccountIdentity(Secret(openid))

    def sealed_mobile_for(self, openid: str, mobile: str) -> tuple[str, str, str]:
        """Give a login code, an encrypted mobile number and its iv, as the old button would."""
        code = self.code_for(openid)
        return code, base64.b64encode(f"{code}|{mobile}".encode()).decode(), base64.b64encode(bytes(16)).decode()

    async def mobile_of_sealed(self, code: str, encrypted: str, iv: str) -> tuple[AccountIdentity, Mobile]:
        identity = await self.identify(code)
        sealed_for, _, mobile = base64.b64decode(encrypted).decode(errors="replace").partition("|")
        if sealed_for != code:
            raise MobileCodeInvalid(
                errors=[FieldError("/encrypted_data", "code", "授权码已失效", "The code is not valid any more")]
            )
        return identity, Mobile.parse(mobile)

    async def mobile_of(self, code: str) -> Mobile:
        forbid_inside_transaction()
        if self.trouble is not None:
            raise self.trouble
        mobile = self._mobiles.pop(code, None)
        if mobile is None:
            raise MobileCodeInvalid(
                errors=[FieldError("/code", "code", "授权码已失效", "The code is not valid any more")]
            )
        if mobile.startswith("+"):
            raise MobileUnsupported
        return Mobile.parse(mobile)


@dataclass
class FakePopulationRegistry:
    """Knows the people it was told about: number → name."""

    people: dict[str, str] = field(default_factory=dict)
    dead: set[str] = field(default_factory=set)
    portraits: dict[str, bytes] = field(default_factory=dict)
    trouble: Problem | None = None
    questions: int = 0

    async def verify(self, name: PersonName, id_number: IdNumber) -> Verdict:
        forbid_inside_transaction()
        self.questions += 1
        if self.trouble is not None:
            raise self.trouble
        number = id_number.reveal()
        if self.people.get(number) != name.reveal():
            return Verdict.MISMATCH
        return Verdict.DECEASED if number in self.dead else Verdict.MATCH

    async def portrait_of(self, id_number: IdNumber) -> bytes | None:
        forbid_inside_transaction()
        if self.trouble is not None:
            raise self.trouble
        return self.portraits.get(id_number.reveal())


@dataclass
class Auth:
    """The rooms of auth, with fakes outside."""

    ground: Ground
    settings: AuthSettings
    mini_program: FakeMiniProgram
    registry: FakePopulationRegistry
    tokens: Tokens
    records: Records
    sessions: Sessions
    logout: Logout
    accounts: Accounts
    takeovers: Takeovers
    deaths: Deaths
    recent: RecentSessions
    groups: Groups
    contacts: Contacts
    attempts: Attempts
    tidying: Tidying
    consents: Consents
    login: Login
    realname: RealName
    citizens: Citizens
    staff: Staff
    # Limits live in a store that tests may share: each has an address of its own.
    address: str = field(default_factory=lambda: f"address-{secrets.token_hex(8)}")

    async def log_in(self, openid: str = "openid-of-somebody", *, device: str = "") -> Grant:
        """Log an account in."""
        code = self.mini_program.code_for(openid)
        return await self.login.log_in(code, device=device, address=self.address)

    async def caller(self, openid: str = "openid-of-somebody") -> Caller:
        """Log an account in and return it as a caller."""
        return await self.sessions.caller_of((await self.log_in(openid)).access_token)

    async def caller_named(self, openid: str, name: str, id_number: str) -> Caller:
        """Log an account in, give it its real name, and return it as a caller."""
        grant = await self.log_in(openid)
        caller = await self.sessions.caller_of(grant.access_token)
        self.registry.people[id_number] = name
        await self.realname.bind(caller, name=name, id_number=id_number, consent="real-name@1")
        return await self.sessions.caller_of(grant.access_token)


def make_auth(
    ground: Ground,
    settings: AuthSettings | None = None,
    *,
    mini_program: FakeMiniProgram | None = None,
    registry: FakePopulationRegistry | None = None,
) -> Auth:
    """Put auth together over the ground."""
    settings = settings or AuthSettings()
    mini_program = mini_program or FakeMiniProgram()
    registry = registry or FakePopulationRegistry()
    clock, ids, vault, audit, limits = ground.clock, ground.ids, ground.vault, ground.audit, ground.limits
    tokens = Tokens(keys=lambda: ground.ring.tokens, settings=settings.sessions, clock=clock, ids=ids)
    records = Records(vault=vault)
    consents = Consents(audit=audit, clock=clock, ids=ids)
    recent = RecentSessions(clock=clock, settings=settings.sessions)
    sessions = Sessions(
        tokens=tokens,
        recent=recent,
        records=records,
        vault=vault,
        audit=audit,
        jobs=ground.jobs,
        clock=clock,
        ids=ids,
        settings=settings.sessions,
        levels=settings.levels,
    )
    groups = Groups(clock=clock, ids=ids)
    deaths = Deaths(recent=recent, vault=vault, audit=audit, jobs=ground.jobs, clock=clock)
    attempts = Attempts(clock=clock, ids=ids, settings=settings.limits)
    realname = RealName(
        registry=registry,
        recent=recent,
        records=records,
        consents=consents,
        vault=vault,
        attempts=attempts,
        deaths=deaths,
        audit=audit,
        jobs=ground.jobs,
        clock=clock,
        ids=ids,
        levels=settings.levels,
    )
    return Auth(
        ground=ground,
        settings=settings,
        mini_program=mini_program,
        registry=registry,
        tokens=tokens,
        records=records,
        sessions=sessions,
        logout=Logout(recent=recent, audit=audit, clock=clock),
        accounts=Accounts(recent=recent, audit=audit, clock=clock, ids=ids),
        takeovers=Takeovers(
            recent=recent,
            vault=vault,
            audit=audit,
            jobs=ground.jobs,
            clock=clock,
            ids=ids,
            settings=settings.takeovers,
        ),
        attempts=attempts,
        deaths=deaths,
        recent=recent,
        groups=groups,
        contacts=Contacts(records=records, vault=vault, clock=clock, levels=settings.levels),
        tidying=Tidying(attempts=attempts, clock=clock, settings=settings.sessions),
        consents=consents,
        login=Login(
            mini_program=mini_program,
            sessions=sessions,
            records=records,
            vault=vault,
            limits=limits,
            clock=clock,
            ids=ids,
            settings=settings.limits,
        ),
        realname=realname,
        citizens=Citizens(
            mini_program=mini_program,
            realname=realname,
            recent=recent,
            records=records,
            groups=groups,
            vault=vault,
            audit=audit,
            clock=clock,
            levels=settings.levels,
        ),
        staff=make_staff(ground, settings, recent=recent),
    )


def a_caller(citizen_id: UUID, *, level: Level = Level.REAL_NAME, elder: bool = False) -> Caller:
    """A caller for rooms that do not ask whether the session exists."""
    return Caller(citizen_id, UUID(int=1), level, elder, citizen_id)
