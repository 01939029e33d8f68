"""X.509 certificates with the extensions that strict verification (RFC 5280, Python 3.13) asks for."""

import ipaddress
from collections.abc import Iterable
from datetime import datetime
from typing import Final

import msgspec
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

__all__ = ["PrivateKey", "Signer", "Subject", "common_name", "names_of", "new_key", "pem_of_key", "read_pem", "sign"]

type PrivateKey = ec.EllipticCurvePrivateKey

_LONGEST_NAME: Final = 64  # of a common name; nobody reads it, the names are in an extension


class Subject(msgspec.Struct, frozen=True):
    """Whom a certificate is for: `names` are host names and addresses; an authority has none."""

    common_name: str
    key: ec.EllipticCurvePublicKey
    names: tuple[str, ...] = ()


class Signer(msgspec.Struct, frozen=True):
    """Who signs a certificate."""

    common_name: str
    key: PrivateKey


def new_key() -> PrivateKey:
    """A key on P-256, which every TLS library knows."""
    return ec.generate_private_key(ec.SECP256R1())


def sign(subject: Subject, signer: Signer, start: datetime, end: datetime) -> x509.Certificate:
    """A certificate of an authority, or of one that is both server and client, as a server of a cluster is."""
    is_authority = not subject.names
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(subject.common_name))
        .issuer_name(_name(signer.common_name))
        .public_key(subject.key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(end)
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        .add_extension(_usage(is_authority=is_authority), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(subject.key), critical=False)
    )
    if subject.key != signer.key.public_key():  # in one that signs itself it would say nothing, in 50 characters
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.key.public_key())
        builder = builder.add_extension(issuer, critical=False)
    if not is_authority:
        usages = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
        builder = builder.add_extension(x509.SubjectAlternativeName(_general(subject.names)), critical=False)
        builder = builder.add_extension(x509.ExtendedKeyUsage(usages), critical=False)
    return builder.sign(signer.key, hashes.SHA256())


def read_pem(text: bytes) -> tuple[PrivateKey, list[x509.Certificate]]:
    """The key and the certificates of a file. Raises: `ValueError` for what is no such file."""
    try:
        key = serialization.load_pem_private_key(text, None)
    except (TypeError, UnsupportedAlgorithm) as error:  # TypeError: it is encrypted
        raise ValueError(str(error)) from None
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise ValueError("the key is of another kind")
    found = x509.load_pem_x509_certificates(text)
    if found[0].public_key() != key.public_key():
        raise ValueError("the key is not that of the certificate")
    return key, found


def pem_of_key(key: PrivateKey) -> bytes:
    """The key as PEM, not encrypted."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def common_name(certificate: x509.Certificate) -> str:
    """Whom it is for, in one word; '' for nobody."""
    return next((str(each.value) for each in certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)), "")


def names_of(certificate: x509.Certificate) -> frozenset[str]:
    """The host names and addresses that a server's certificate is for. Raises: `ValueError` where it has none."""
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound as error:
        raise ValueError(str(error)) from None
    return frozenset(
        {str(address) for address in names.get_values_for_type(x509.IPAddress)}
        | set(names.get_values_for_type(x509.DNSName))
    )


def _general(names: Iterable[str]) -> list[x509.GeneralName]:
    found: list[x509.GeneralName] = []
    for name in names:
        try:
            found.append(x509.IPAddress(ipaddress.ip_address(name)))
        except ValueError:
            found.append(x509.DNSName(name))
    return found


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text[:_LONGEST_NAME])])


def _usage(*, is_authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not is_authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=is_authority,
        crl_sign=is_authority,
        encipher_only=False,
        decipher_only=False,
    )
