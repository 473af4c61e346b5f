"""Where files lie, who scans them, and who looks at texts."""

from dataclasses import replace
from typing import Final
from uuid import UUID

from api.wiring.auth import AuthServices
from api.wiring.ground import Ground
from auth.account.contacts import Contacts
from core.log import get_logger
from core.pii import Secret
from core.settings import Switch
from core.signers.signature_v4 import SignatureV4
from matters.adapters.clamav import ClamAv
from matters.adapters.folder import Folder
from matters.adapters.object_store import ObjectStore
from matters.adapters.wechat_text_check import WechatTextCheck
from matters.catalogue.catalogue import Catalogue
from matters.ports import FileStore, Scanner
from matters.texts.checking import TextChecks

log = get_logger(__name__)

# What is kept is at most a third longer than what was given, and its seal.
_SEALED_BYTES: Final = 12 * 2**20


def files_of(ground: Ground) -> FileStore:
    """Return where files lie: the object store that is set, or a folder."""
    store = ground.settings.matters.object_store
    if not store.address:
        return Folder(ground.settings.files_folder)
    signer = SignatureV4(
        access_key=store.access_key, secret_key=store.secret_key, region=store.region, clock=ground.clock
    )
    partner = replace(ground.partner("object-store", store, signer), largest=_SEALED_BYTES)
    return ObjectStore(outbound=ground.outbound, partner=partner, bucket=store.bucket)


class _Openids:
    """The account that a citizen bound last: the one in use."""

    def __init__(self, contacts: Contacts) -> None:
        self._contacts = contacts

    async def openid_of(self, citizen_id: UUID) -> Secret | None:
        """Return the account in use, None where there is none.

        Raises:
            DatabaseUnavailable: the database could not be reached.
        """
        contact = await self._contacts.find(citizen_id)
        return contact.accounts[0].openid if contact is not None and contact.accounts else None


def texts_of(ground: Ground, auth: AuthServices, catalogue: Catalogue) -> TextChecks:
    """Return who looks at texts: WeChat with our own list, or that alone."""
    settings = ground.settings
    platform = None
    if settings.matters.text_check is Switch.ON:
        platform = WechatTextCheck(
            outbound=ground.outbound,
            partner=ground.partner("wechat", settings.auth.wechat),
            lease=auth.wechat_lease,
            fetch_token=auth.wechat.fetch_token,
        )
    return TextChecks(
        catalogue=catalogue,
        platform=platform,
        openids=_Openids(auth.contacts),
        words=settings.matters.words,
        clock=ground.clock,
        ids=ground.ids,
    )


def scanner_of(ground: Ground) -> Scanner | None:
    """Return who scans files, None where nobody does; production is told so at each start."""
    scanner = ground.settings.matters.scanner
    if scanner.address:
        return ClamAv(address=scanner.address, timeout_seconds=scanner.timeout_seconds)
    if ground.settings.is_production:
        log.warning("files are taken without a virus scan: ZHIJIAN_MATTERS__SCANNER__ADDRESS is empty")
    return None
