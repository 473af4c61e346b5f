"""Who hands out the files of cases: to departments, and to their owners at short addresses."""

from api.wiring.ground import Ground
from matters.attachments.file_addresses import FileAddresses
from matters.catalogue.catalogue import Catalogue
from matters.handover.case_files import CaseFiles
from matters.materials.vault import MaterialVault
from matters.ports import FileStore


def case_files_of(ground: Ground, catalogue: Catalogue, files: FileStore) -> CaseFiles:
    """Return who lists and hands out the files of cases to departments."""
    return CaseFiles(
        catalogue=catalogue,
        files=files,
        audit=ground.audit,
        vault=ground.vault,
        limits=ground.limits,
        clock=ground.clock,
        public_url=ground.settings.effective_public_url,
        settings=ground.settings.matters,
    )


def addresses_of(ground: Ground, catalogue: Catalogue, files: FileStore, kept: MaterialVault) -> FileAddresses:
    """Return who gives the owners of files the addresses at which they open."""
    return FileAddresses(
        catalogue=catalogue,
        files=files,
        kept=kept,
        audit=ground.audit,
        vault=ground.vault,
        limits=ground.limits,
        clock=ground.clock,
        settings=ground.settings.matters,
    )
