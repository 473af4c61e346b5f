"""The services of results: decisions on paper, their delivery, the archive."""

from dataclasses import dataclass

from api.wiring.auth import AuthServices
from api.wiring.certificates import CertificateServices
from api.wiring.ground import Ground
from matters.cases.history import History
from matters.catalogue.catalogue import Catalogue
from matters.ports import FileStore
from matters.results.archives import ArchivePackages
from matters.results.deliveries import ResultDeliveries
from matters.results.documents import DecisionDocuments


@dataclass(frozen=True, slots=True)
class ResultServices:
    """What comes of a case."""

    documents: DecisionDocuments
    deliveries: ResultDeliveries
    archives: ArchivePackages

    @classmethod
    def build(
        cls,
        ground: Ground,
        auth: AuthServices,
        certificates: CertificateServices,
        *,
        catalogue: Catalogue,
        history: History,
        files: FileStore,
    ) -> "ResultServices":
        """Build them; papers are sealed with the key of the certificates."""
        deliveries = ResultDeliveries(
            catalogue=catalogue,
            history=history,
            audit=ground.audit,
            jobs=ground.jobs,
            vault=ground.vault,
            clock=ground.clock,
            ids=ground.ids,
            settings=ground.settings.matters,
        )
        documents = DecisionDocuments(
            catalogue=catalogue,
            people=auth.realname,
            history=history,
            deliveries=deliveries,
            files=files,
            sealer=certificates.seals,
            audit=ground.audit,
            jobs=ground.jobs,
            vault=ground.vault,
            limits=ground.limits,
            clock=ground.clock,
            ids=ground.ids,
            settings=ground.settings.matters,
        )
        archives = ArchivePackages(
            history=history,
            documents=documents,
            files=files,
            sealer=certificates.seals,
            audit=ground.audit,
            jobs=ground.jobs,
            vault=ground.vault,
            clock=ground.clock,
            ids=ground.ids,
        )
        return cls(documents, deliveries, archives)
