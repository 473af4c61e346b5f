"""Residents to tell things to."""

from auth.types import Caller, Level
from core.pii import IdNumber, PersonName
from tests.fakes.notices import House

NAME, NUMBER, MOBILE = "霍明哲", "999999198503122179", "19900000001"
ELDER_NAME, ELDER_NUMBER, ELDER_MOBILE = "逄秀英", "999999194910017247", "19900000006"
MATTER = {"matter": "居住证签注", "matter_en": "Endorsement of a residence permit"}


async def somebody(house: House, *, mobile: str = MOBILE) -> Caller:
    """A resident with WeChat, and a mobile unless it is empty."""
    return await _resident(house, "openid-1", NAME, NUMBER, mobile)


async def an_elder(house: House, *, mobile: str = ELDER_MOBILE) -> Caller:
    """An elder with WeChat, and a mobile unless it is empty."""
    return await _resident(house, "openid-elder", ELDER_NAME, ELDER_NUMBER, mobile)


async def nobodys_phone(house: House) -> Caller:
    """An elder who came by face: no WeChat, no mobile."""
    house.auth.registry.people[ELDER_NUMBER] = ELDER_NAME
    citizen_id = await house.auth.realname.ensure_citizen(PersonName(ELDER_NAME), IdNumber(ELDER_NUMBER))
    grant = await house.auth.sessions.open(citizen_id, level=Level.PRESENT, device="")
    return await house.auth.sessions.caller_of(grant.access_token)


async def _resident(house: House, openid: str, name: str, number: str, mobile: str) -> Caller:
    caller = await house.auth.caller_named(openid, name, number)
    if mobile:
        await house.auth.citizens.set_mobile(caller, house.auth.mini_program.mobile_code_for(mobile))
    return caller
