"""Both ends of a connection show who they are: TLS with a certificate on either side, from an authority of one's own.

What one end needs is a folder with three files, named as Kubernetes and cert-manager name them: `tls.crt` (the
certificate), `tls.key` (its key), `ca.crt` (the authority that both ends trust, and nobody else). The authority signs
for this purpose alone, so whoever holds a certificate of it for clients is a portal, and for servers the machine that
the certificate names.
"""

import datetime as dt
import ssl
from collections.abc import Iterable
from ipaddress import ip_address
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from core.settings import UnsafeSettings

CERTIFICATE: Final = "tls.crt"
KEY: Final = "tls.key"
AUTHORITY: Final = "ca.crt"
_CLIENT: Final = "portal"


def server_context(folder: Path) -> ssl.SSLContext:
    """Return how a server speaks that lets in only whoever the authority has signed for.

    Raises:
        UnsafeSettings: a file is missing or does not belong to the others.
    """
    return _context(folder, ssl.PROTOCOL_TLS_SERVER)


def client_context(folder: Path) -> ssl.SSLContext:
    """Return how a client speaks that shows its certificate, and to no server but those the authority has signed for.

    Raises:
        UnsafeSettings: a file is missing or does not belong to the others.
    """
    return _context(folder, ssl.PROTOCOL_TLS_CLIENT)


def _context(folder: Path, protocol: int) -> ssl.SSLContext:
    # No default authorities: none but the one in the folder is trusted.
    context = ssl.SSLContext(protocol)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.verify_mode = ssl.CERT_REQUIRED
    try:
        context.load_cert_chain(folder / CERTIFICATE, folder / KEY)
        context.load_verify_locations(folder / AUTHORITY)
    except (OSError, ssl.SSLError) as error:
        raise UnsafeSettings(
            f"{CERTIFICATE}, {KEY} and {AUTHORITY} are needed in {folder}, and have to belong together "
            f"({type(error).__name__}); `python -m scripts.face_certificates` makes them."
        ) from error
    return context


def make_identities(folder: Path, servers: Iterable[str], *, now: dt.datetime, days: int) -> list[Path]:
    """Make an authority, a certificate for the portals and one for each server, and return their folders.

    The authority's key is used for these and then forgotten: nobody can sign more. Another server means a new set.

    Raises:
        OSError: the folder cannot be written, or has such a set already.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    lasts = (now - dt.timedelta(hours=1), now + dt.timedelta(days=days))
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "zhijian face nodes")])
    authority = (
        _draft(name, key, name, lasts)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .sign(key, hashes.SHA256())
    )
    made = []
    for party in (_CLIENT, *servers):
        purpose = ExtendedKeyUsageOID.CLIENT_AUTH if party == _CLIENT else ExtendedKeyUsageOID.SERVER_AUTH
        own = ec.generate_private_key(ec.SECP256R1())
        certificate = (
            _draft(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, party)]), own, name, lasts)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(signs_certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([purpose]), critical=True)
            .add_extension(x509.SubjectAlternativeName([_name_of(party)]), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False)
            .sign(key, hashes.SHA256())
        )
        place = folder / party
        place.mkdir(mode=0o700, parents=True)
        _write(place / CERTIFICATE, certificate.public_bytes(serialization.Encoding.PEM))
        _write(place / AUTHORITY, authority.public_bytes(serialization.Encoding.PEM))
        _write(
            place / KEY,
            own.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            ),
        )
        made.append(place)
    return made


def _draft(
    subject: x509.Name, key: ec.EllipticCurvePrivateKey, issuer: x509.Name, lasts: tuple[dt.datetime, dt.datetime]
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(lasts[0])
        .not_valid_after(lasts[1])
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _name_of(party: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(party))
    except ValueError:
        return x509.DNSName(party)


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _write(path: Path, content: bytes) -> None:
    path.touch(mode=0o600, exist_ok=False)
    path.write_bytes(content)
