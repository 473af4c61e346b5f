"""Which face engine is used, on this machine or on machines of its own, and with which cohort it is compared."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from core.clock import Clock
from core.ids import Ids
from core.outbound import Outbound, Partner
from core.settings import UnsafeSettings
from core.signers.mutual_tls import client_context
from face.adapters.cohort import Cohort
from face.adapters.face_nodes import FaceNodes, is_answer
from face.adapters.local_engine import LocalEngine, LocalEngineLimits
from face.adapters.own_network import OwnNetwork, WrongNetwork
from face.adapters.passive_network import PassiveNetwork
from face.evaluation import NotEvaluated
from face.ports import FaceEngine
from face.settings import FaceSettings

# What a node may need beyond the time of a check: the way there and back, and the other checks' pictures in its pipe.
_BEYOND_SECONDS = 2.0


def face_engine(settings: FaceSettings, *, cache: Path, clock: Clock, ids: Ids, outbound: Outbound) -> FaceEngine:
    """Return the engine that an installation has chosen.

    Raises:
        UnsafeSettings: the certificate for face nodes is missing, or the operator's network is not the one named or
            was never evaluated.
    """
    if settings.network.file and settings.decision.evaluation is None:
        raise UnsafeSettings(
            "ZHIJIAN_FACE__NETWORK__FILE needs ZHIJIAN_FACE__DECISION__EVALUATION: thresholds of another network say "
            "nothing about its faces (`python -m scripts.evaluate_faces`)."
        )
    if not settings.nodes:
        return local_engine(settings, cache=cache, clock=clock)
    if settings.tls_folder is None:
        raise UnsafeSettings("ZHIJIAN_FACE__NODES needs ZHIJIAN_FACE__TLS_FOLDER: nodes let in certificates only.")
    context = client_context(settings.tls_folder)
    seconds = settings.local_engine.seconds_per_check + _BEYOND_SECONDS
    nodes = [
        Partner(f"face-node-{number}", address, seconds, attempts=1, is_answer=is_answer, tls=context)
        for number, address in enumerate(settings.nodes, 1)
    ]
    return FaceNodes(outbound=outbound, nodes=nodes, clock=clock, ids=ids)


def local_engine(settings: FaceSettings, *, cache: Path, clock: Clock) -> LocalEngine:
    """Return the engine on this machine, with the operator's own network where there is one.

    Raises:
        UnsafeSettings: the operator's network is not the file that the settings name.
    """
    network = settings.network
    own = None
    if network.file:
        own = OwnNetwork(
            file=str(network.file.absolute()),
            sha256=network.sha256,
            colours=network.colours,
            mean=network.mean,
            divisor=network.divisor,
        )
        try:
            own.content()
        except (WrongNetwork, OSError) as error:
            raise UnsafeSettings(f"ZHIJIAN_FACE__NETWORK__FILE cannot be used: {error}") from error
    return LocalEngine(
        cache=cache,
        clock=clock,
        limits=LocalEngineLimits.of(settings.local_engine),
        own=own,
        passive=_passive_network(settings),
    )


def _passive_network(settings: FaceSettings) -> PassiveNetwork | None:
    if settings.passive.file is None:
        return None
    network = PassiveNetwork(str(settings.passive.file.absolute()), settings.passive.sha256)
    try:
        network.content()
    except (WrongNetwork, OSError) as error:
        raise UnsafeSettings(f"ZHIJIAN_FACE__PASSIVE__FILE cannot be used: {error}") from error
    return network


def read_cohort(settings: FaceSettings) -> Cohort | None:
    """Return the cohort that an installation compares with, if it has one.

    Raises:
        UnsafeSettings: it cannot be read, or is not of the engine that was evaluated.
    """
    decision = settings.decision
    if decision.cohort is None:
        return None
    return read_cohort_file(decision.cohort, decision.cohort_sha256, decision.limits().model_id)


def read_cohort_file(path: Path, sha256: str, model_id: str) -> Cohort:
    """Return the cohort in a file that has this digest and was made with this engine.

    Raises:
        UnsafeSettings: it cannot be read, is another file, or of another engine.
    """
    try:
        cohort = Cohort.read(path, sha256)
    except NotEvaluated as error:
        raise UnsafeSettings(str(error)) from error
    if cohort.model_id != model_id:
        raise UnsafeSettings(f"the cohort {path.name} was made with another engine than was evaluated")
    return cohort


def cohort_of(vectors: npt.NDArray[np.floating[Any]], model_id: str = "") -> Cohort:
    """Return a cohort of descriptions that are in no file."""
    return Cohort(vectors.astype(np.float32), model_id)
