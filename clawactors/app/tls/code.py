"""An authority as a part of a line to paste: what `CertificateAuthority.code` says, read without `cryptography`."""

import base64
import binascii
import ssl

from clawactors.eventlog import Misconfigured

__all__ = ["code_of_pem", "pem_of_code"]


def code_of_pem(pem: str) -> str:
    """What `CertificateAuthority.code` says, of its text."""
    return base64.urlsafe_b64encode(ssl.PEM_cert_to_DER_cert(pem)).rstrip(b"=").decode()


def pem_of_code(code: str) -> str:
    """The certificate as text, for `Address.ca_pem`. Raises: `Misconfigured` for what is no authority."""
    try:
        encoded = base64.b64decode(code + "=" * (-len(code) % 4), b"-_", validate=True)
        pem = ssl.DER_cert_to_PEM_cert(encoded)
        trusted = ssl.create_default_context(cadata=pem).cert_store_stats()
    except (binascii.Error, ssl.SSLError, ValueError):
        trusted = {}
    if trusted.get("x509_ca") != 1:
        raise Misconfigured("the authority in the line is damaged: copy the whole line again, or ask for a new one")
    return pem
