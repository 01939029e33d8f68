"""The authority made on the spot: what strict verification takes, and when certificates are replaced."""

import base64
import ssl
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from clawactors.app.tls.authority import AUTHORITY, AUTHORITY_LIFE, RENEWED_BEFORE, SERVER_LIFE, CertificateAuthority
from clawactors.app.tls.code import pem_of_code
from clawactors.eventlog import Misconfigured

NAMES = ("192.0.2.7", "gpu.example.com", "2001:db8::7")
MINUTE = timedelta(minutes=1)


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.at = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.at


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def load(tmp_path: Path, clock: Clock) -> Callable[[], CertificateAuthority]:
    return lambda: CertificateAuthority.load_or_make(tmp_path / "tls", clock)


def shake_hands(server: Path, trusted: str, name: str, client: Path | None = None) -> None:
    """A TLS handshake in memory, as Python 3.13 checks by default. Raises: `SSLError`."""
    there = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cadata=trusted)
    there.load_cert_chain(server)
    here = ssl.create_default_context(cadata=trusted)
    here.verify_flags |= ssl.VERIFY_X509_STRICT
    if client is not None:
        there.verify_mode = ssl.CERT_REQUIRED
        there.verify_flags |= ssl.VERIFY_X509_STRICT
        here.load_cert_chain(client)
    up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
    sides = [there.wrap_bio(up, down, server_side=True), here.wrap_bio(down, up, server_hostname=name)]
    for _ in range(10):
        for side in list(sides):
            try:
                side.do_handshake()
                sides.remove(side)
            except ssl.SSLWantReadError:
                pass
    assert not sides


def test_it_is_made_once_and_only_its_owner_reads_it(load: Callable[[], CertificateAuthority], tmp_path: Path) -> None:
    first = load()
    first.renew(NAMES)
    assert load().pem == first.pem
    assert (tmp_path / "tls").stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "tls").iterdir()} == {0o600}


def test_strict_verification_takes_every_name(load: Callable[[], CertificateAuthority]) -> None:
    authority = load()
    authority.renew(NAMES)
    for name in NAMES:
        shake_hands(authority.server_file, authority.pem, name, client=authority.server_file)
    with pytest.raises(ssl.SSLCertVerificationError):
        shake_hands(authority.server_file, authority.pem, "192.0.2.8")


def test_another_authority_is_not_trusted(load: Callable[[], CertificateAuthority], tmp_path: Path) -> None:
    load().renew(NAMES)
    other = CertificateAuthority.load_or_make(tmp_path / "other")
    with pytest.raises(ssl.SSLCertVerificationError):
        shake_hands(load().server_file, other.pem, NAMES[0])


def test_a_certificate_is_kept_until_it_soon_expires(load: Callable[[], CertificateAuthority], clock: Clock) -> None:
    authority = load()
    assert authority.renew(NAMES)
    assert not authority.renew(NAMES)
    assert not authority.renew(NAMES[:1])
    assert authority.renew((*NAMES, "localhost"))
    clock.at += SERVER_LIFE * (1 - RENEWED_BEFORE) - MINUTE - timedelta(days=1)
    assert not authority.renew(NAMES)
    clock.at += timedelta(days=2)
    assert authority.renew(NAMES)
    assert not authority.renew(NAMES)


def test_one_made_by_a_wrong_clock_or_damaged_is_replaced(
    load: Callable[[], CertificateAuthority], clock: Clock, tmp_path: Path
) -> None:
    authority = load()
    clock.at += timedelta(days=500)
    authority.renew(NAMES)
    clock.at -= timedelta(days=500)
    assert authority.renew(NAMES)
    whole = authority.server_file.read_bytes()
    other = CertificateAuthority.load_or_make(tmp_path / "other")
    for damaged in (b"", b"garbage", whole[: len(whole) // 2], whole[-200:], other.issue(NAMES)):
        authority.server_file.write_bytes(damaged)
        assert authority.renew(NAMES)
    shake_hands(authority.server_file, authority.pem, NAMES[0])


def test_who_trusts_an_earlier_key_goes_on(load: Callable[[], CertificateAuthority]) -> None:
    trusted = [load()]
    trusted[0].renew(NAMES)
    for _ in range(2):
        trusted.append(trusted[-1].rotated())
        assert load().pem == trusted[-1].pem
        assert load().renew(NAMES)
        assert not load().renew(NAMES)
    assert len({each.pem for each in trusted}) == 3
    for each in trusted:
        shake_hands(trusted[-1].server_file, each.pem, NAMES[0], client=trusted[-1].server_file)


def test_an_authority_that_soon_expires_gets_a_new_key(load: Callable[[], CertificateAuthority], clock: Clock) -> None:
    first = load()
    clock.at += AUTHORITY_LIFE * 0.9
    second = load()
    assert second.pem != first.pem
    assert second.expires_at > first.expires_at
    assert load().pem == second.pem
    second.renew(NAMES)
    assert second.server_file.read_text().count("BEGIN CERTIFICATE") == 2
    clock.at += AUTHORITY_LIFE * 0.2  # who trusts the first one can't go on
    third = load().rotated()
    third.renew(NAMES)
    assert third.server_file.read_text().count("BEGIN CERTIFICATE") == 2


def test_no_certificate_outlives_its_authority(load: Callable[[], CertificateAuthority], clock: Clock) -> None:
    authority = load()
    clock.at = authority.expires_at - timedelta(days=10)
    authority.renew(NAMES)
    assert not authority.renew(NAMES)


@pytest.mark.parametrize("text", [b"", b"garbage", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"])
def test_a_damaged_authority_is_never_replaced(
    load: Callable[[], CertificateAuthority], tmp_path: Path, text: bytes
) -> None:
    load()
    file = tmp_path / "tls" / AUTHORITY
    file.write_bytes(text)
    with pytest.raises(Misconfigured, match="restore the file, or remove it and invite every machine again"):
        load()
    assert file.read_bytes() == text


def test_an_authority_of_the_future_is_told(load: Callable[[], CertificateAuthority], clock: Clock) -> None:
    load()
    clock.at -= timedelta(days=30)
    with pytest.raises(Misconfigured, match="set the clock of this machine"):
        load()


def test_the_code_in_a_line_is_the_authority(load: Callable[[], CertificateAuthority]) -> None:
    authority = load()
    assert pem_of_code(authority.code) == authority.pem
    assert len(authority.code) < 520
    assert set(authority.code) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


def test_a_damaged_code_is_told(load: Callable[[], CertificateAuthority]) -> None:
    authority = load()
    code = authority.code
    for damaged in ("", "ü", code[:-8], code[8:], code[:100] + "\n" + code[100:], "AAAA"):
        with pytest.raises(Misconfigured, match="copy the whole line again"):
            pem_of_code(damaged)


def test_the_code_of_what_is_no_authority_is_told(load: Callable[[], CertificateAuthority]) -> None:
    authority = load()
    authority.renew(NAMES)
    _, begin, rest = authority.server_file.read_text().partition("-----BEGIN CERTIFICATE-----")
    code = base64.urlsafe_b64encode(ssl.PEM_cert_to_DER_cert(begin + rest)).decode()
    with pytest.raises(Misconfigured, match="copy the whole line again"):
        pem_of_code(code)
