"""The server's certificate: given files, or a local certificate authority kept in DATA/tls.

    ca.pem ca.key           made once, ten years; clients trust ca.pem (PGSSLROOTCERT, SSL_CERT_FILE, NODE_EXTRA_CA_CERTS)
    server.pem server.key   a year; made again when it nears its end or the cluster's names have changed

Keys are elliptic (P-256), readable by their owner only, and written before their certificate: a certificate that is there
has its key. A damaged file is refused, not replaced: clients trust what they have been given.

Invariant: server.pem is signed by ca.pem and names every name of the endpoint, localhost, 127.0.0.1 and ::1.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING

from dsql_core.wire import TlsContext, TlsError
from opendsql.endpoint import Endpoint
from opendsql.errors import OperatorError

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

DIRECTORY = "tls"
AUTHORITY_DAYS = 3650
SERVER_DAYS = 365
RENEW_DAYS = 30  # before its end
LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class Certificates:
    """Paths of PEM files: the server's chain, its key, and the local authority when it is ours."""

    certificate: Path
    key: Path
    authority: Path | None = None

    def context(self) -> TlsContext:
        """Loaded for serving.

        Raises:
            OperatorError: a file cannot be read or they do not fit together, or there is no OpenSSL.
        """
        for path in (self.certificate, self.key):
            try:
                path.open("rb").close()
            except OSError as error:
                raise OperatorError(f"{path}: {error.strerror}") from None
        try:
            return TlsContext(os.fspath(self.certificate), os.fspath(self.key))
        except TlsError as error:
            raise OperatorError(str(error)) from None


def local_certificates(data: Path, endpoint: Endpoint, *, make: bool) -> Certificates | None:
    """The certificates of DATA/tls, renewed where they must be; None when there are none and `make` is false."""
    directory = data / DIRECTORY
    found = Certificates(directory / "server.pem", directory / "server.key", directory / "ca.pem")
    assert found.authority is not None
    if not found.authority.exists() and not make:
        return None
    try:
        directory.mkdir(mode=0o700, exist_ok=True)
        if not found.authority.exists() or _ends_soon(_read(found.authority), 0):
            _make_authority(found.authority, directory / "ca.key")
        if not _still_good(found, endpoint):
            _make_server(found, directory / "ca.key", endpoint)
    except OSError as error:
        raise OperatorError(f"{error.filename or directory}: {error.strerror}") from None
    return found


# -- what there is -----------------------------------------------------------------------------------------------------


def _read(path: Path) -> x509.Certificate:
    from cryptography import x509

    try:
        return x509.load_pem_x509_certificate(path.read_bytes())
    except ValueError:
        raise OperatorError(f"{path}: is not a certificate; remove {path.parent} to have new ones made") from None


def _ends_soon(certificate: x509.Certificate, days: int) -> bool:
    return certificate.not_valid_after_utc < datetime.now(UTC) + timedelta(days=days)


def _names(endpoint: Endpoint) -> list[str]:
    return list(dict.fromkeys((*endpoint.names, *LOOPBACK)))


def _still_good(found: Certificates, endpoint: Endpoint) -> bool:
    from cryptography import x509
    from cryptography.exceptions import InvalidSignature

    if not found.certificate.exists() or not found.key.exists():
        return False
    assert found.authority is not None
    certificate = _read(found.certificate)
    try:
        certificate.verify_directly_issued_by(_read(found.authority))
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (InvalidSignature, ValueError, TypeError, x509.ExtensionNotFound):
        return False
    known = [*names.get_values_for_type(x509.DNSName), *map(str, names.get_values_for_type(x509.IPAddress))]
    return set(known) == set(_names(endpoint)) and not _ends_soon(certificate, RENEW_DAYS)


# -- making ------------------------------------------------------------------------------------------------------------


def _write(path: Path, content: bytes, mode: int) -> None:
    # In one durable step, never readable by others than `mode` says.
    temporary = path.with_name(path.name + ".new")
    temporary.unlink(missing_ok=True)
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def _new_key(path: Path) -> EllipticCurvePrivateKey:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    none = serialization.NoEncryption()
    _write(path, key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, none), 0o600)
    return key


def _subject(text: str) -> x509.Name:
    from cryptography import x509

    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text[:64])])


def _builder(subject: x509.Name, issuer: x509.Name, key: EllipticCurvePrivateKey, days: int) -> x509.CertificateBuilder:
    from cryptography import x509

    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(subject_name=subject, issuer_name=issuer, public_key=key.public_key())
    builder = builder.serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(now - timedelta(hours=1)).not_valid_after(now + timedelta(days=days))
    return builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    from cryptography import x509

    return x509.KeyUsage(
        digital_signature=not signs_certificates, key_cert_sign=signs_certificates, crl_sign=signs_certificates,
        content_commitment=False, key_encipherment=False, data_encipherment=False, key_agreement=False,
        encipher_only=False, decipher_only=False,
    )  # fmt: skip


def _make_authority(path: Path, key_path: Path) -> None:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization

    key = _new_key(key_path)
    name = _subject(f"opendsql local authority {os.urandom(4).hex()}")
    builder = _builder(name, name, key, AUTHORITY_DAYS)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(_usage(signs_certificates=True), critical=True)
    _write(path, builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM), 0o644)


def _make_server(found: Certificates, authority_key: Path, endpoint: Endpoint) -> None:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.x509.oid import ExtendedKeyUsageOID

    assert found.authority is not None
    authority = _read(found.authority)
    try:
        signer = serialization.load_pem_private_key(authority_key.read_bytes(), None)
    except (ValueError, TypeError):
        raise OperatorError(f"{authority_key}: is not a key; remove {authority_key.parent} to have new ones made") from None
    if not isinstance(signer, EllipticCurvePrivateKey) or signer.public_key() != authority.public_key():
        raise OperatorError(f"{authority_key}: is not the key of {found.authority.name}")
    key = _new_key(found.key)
    names = [x509.IPAddress(ip_address(name)) if name in LOOPBACK[1:] else x509.DNSName(name) for name in _names(endpoint)]
    builder = _builder(_subject(endpoint.cluster_id), authority.subject, key, SERVER_DAYS)
    for extension, critical in (
        (x509.BasicConstraints(ca=False, path_length=None), True),
        (_usage(signs_certificates=False), True),
        (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False),
        (x509.SubjectAlternativeName(names), False),
        (x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), False),
    ):
        builder = builder.add_extension(extension, critical=critical)
    _write(found.certificate, builder.sign(signer, hashes.SHA256()).public_bytes(serialization.Encoding.PEM), 0o644)
