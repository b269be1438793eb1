"""The lender's electronic seal: a PAdES signature over the PDF, so that any reader shows who issued it and that it was
not changed. The key comes from the environment; a demo makes its own, which readers rightly call unknown."""

from __future__ import annotations

import contextlib
import io
import os
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from tempfile import NamedTemporaryFile

from asn1crypto import keys as asn1_keys
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from django.conf import settings
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign import fields, signers
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko.sign.validation.status import SignatureCoverageLevel
from pyhanko_certvalidator.registry import SimpleCertificateStore

FIELD = "Seal"
DEMO_YEARS = 10


class SealMissing(RuntimeError):
    """No seal key is configured, and this is not a demo."""


def seal(pdf: bytes, *, reason: str, location: str) -> bytes:
    """The same file with the seal added; the original bytes stay its first revision."""
    writer = IncrementalPdfFileWriter(io.BytesIO(pdf))
    metadata = signers.PdfSignatureMetadata(
        field_name=FIELD,
        subfilter=fields.SigSeedSubFilter.PADES,
        reason=reason,
        location=location,
        md_algorithm="sha256",
    )
    sealed = signers.PdfSigner(metadata, signer=_signer(Path(settings.USANCE_SEAL_PEM))).sign_pdf(writer)
    content: bytes = sealed.getvalue()
    return content


def require_key() -> None:
    """Makes a demo's key. Raises SealMissing where agreements could not be sealed."""
    _signer(Path(settings.USANCE_SEAL_PEM))


def is_intact(pdf: bytes) -> bool:
    """Whether the file bears a seal that covers it whole and still fits it."""
    embedded = PdfFileReader(io.BytesIO(pdf)).embedded_signatures
    if len(embedded) != 1:
        return False
    status = validate_pdf_signature(embedded[0], skip_diff=False)
    return bool(status.intact and status.valid and status.coverage == SignatureCoverageLevel.ENTIRE_FILE)


@lru_cache(maxsize=4)
def _signer(path: Path) -> signers.SimpleSigner:
    if not path.exists():
        if not settings.USANCE_DEMO:
            raise SealMissing(
                f"There is no key at {path} to seal agreements with. Start `usance run` once, which makes one for the "
                "demo, or name your own file (key and certificates, PEM) in USANCE_SEAL_PEM."
            )
        make_demo_key(path)
    pem = path.read_bytes()
    key = serialization.load_pem_private_key(pem, password=None)
    certificates = [
        asn1_x509.Certificate.load(found.public_bytes(serialization.Encoding.DER))
        for found in x509.load_pem_x509_certificates(pem)
    ]
    store = SimpleCertificateStore()
    store.register_multiple(certificates[1:])
    private = key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return signers.SimpleSigner(
        signing_cert=certificates[0],
        signing_key=asn1_keys.PrivateKeyInfo.load(private),
        cert_registry=store,
    )


def make_demo_key(path: Path, *, at: datetime | None = None) -> None:
    """A self-signed key and certificate for a demo, readable by its owner only. Of several processes that make one at
    the same time the first is right, and all go on with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "usance demo seal")])
    begins = at or datetime(2026, 1, 1, tzinfo=UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(begins + timedelta(days=365 * DEMO_YEARS))
        .add_extension(x509.KeyUsage(True, True, False, False, False, False, False, False, False), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    with NamedTemporaryFile(dir=path.parent, prefix=f"{path.name}.") as scratch:  # for its owner only
        scratch.write(private + certificate.public_bytes(serialization.Encoding.PEM))
        scratch.flush()
        with contextlib.suppress(FileExistsError):
            os.link(scratch.name, path)
