"""Signing a PDF (PAdES) with the issuer's key, so that any reader shows who made it and that nothing was changed."""

import hashlib
import io
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final

from asn1crypto import keys as asn1_keys
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import fields, signers
from pyhanko_certvalidator.registry import SimpleCertificateStore

from core.keyring.ring import Key

_FIELD: Final = "seal"
_YEARS: Final = timedelta(days=3650)
_FIRST: Final = datetime(2020, 1, 1, tzinfo=UTC)


async def seal(pdf: bytes, *, key: Key[ec.EllipticCurvePrivateKey], chain: str, name: str, reason: str) -> bytes:
    """Return a PDF with a signature of the issuer's key over all of it (PAdES baseline B).

    `chain` is the key's certificate in PEM, followed by those above it; empty: the key's own, made here.
    """
    certificates = _certificates(chain) or [_own_certificate(key, name)]
    store = SimpleCertificateStore.from_certs(certificates[1:])  # type: ignore[no-untyped-call]
    signer = signers.SimpleSigner(
        signing_cert=certificates[0], signing_key=_private_key(key.secret), cert_registry=store
    )
    metadata = signers.PdfSignatureMetadata(
        field_name=_FIELD,
        md_algorithm="sha256",
        subfilter=fields.SigSeedSubFilter.PADES,
        reason=reason,
        name=name,
    )
    out = await signers.async_sign_pdf(IncrementalPdfFileWriter(io.BytesIO(pdf)), metadata, signer=signer)
    return bytes(out.getvalue())


def _private_key(secret: ec.EllipticCurvePrivateKey) -> asn1_keys.PrivateKeyInfo:
    return asn1_keys.PrivateKeyInfo.load(
        secret.private_bytes(
            serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )


def _certificates(chain: str) -> list[asn1_x509.Certificate]:
    found = x509.load_pem_x509_certificates(chain.encode()) if chain.strip() else []
    return [asn1_x509.Certificate.load(each.public_bytes(serialization.Encoding.DER)) for each in found]


@lru_cache(maxsize=4)
def _own_certificate(key: Key[ec.EllipticCurvePrivateKey], name: str) -> asn1_x509.Certificate:
    """Return a certificate that the key has signed for itself; its serial follows from the key's id."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    first = max(key.current_from, _FIRST)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.secret.public_key())
        .serial_number(int.from_bytes(hashlib.sha256(key.kid.encode()).digest()[:16]) >> 1 or 1)
        .not_valid_before(first)
        .not_valid_after(first + _YEARS)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(
            x509.KeyUsage(
                digital_signature=True,
                content_commitment=True,
                key_encipherment=False,
                data_encipherment=False,
                key_agreement=False,
                key_cert_sign=False,
                crl_sign=False,
                encipher_only=False,
                decipher_only=False,
            ),
            critical=True,
        )
        .sign(key.secret, hashes.SHA256())
    )
    return asn1_x509.Certificate.load(made.public_bytes(serialization.Encoding.DER))
