"""Certificates for tests, as the product makes them, with names and times that a test chooses."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from clawactors.app.tls.authority import CertificateAuthority

DAY = timedelta(days=1)


class Authority:
    """Signs certificates into files of one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._issued = folder, 0
        self._authority = CertificateAuthority.load_or_make(folder)
        self.ca = folder / "ca.pem"
        self.ca.write_text(self._authority.pem)

    def issue(self, name: str, start: timedelta = -DAY, end: timedelta = DAY) -> tuple[Path, Path]:
        """The files of a certificate for this host name or address, and of its key: the same one."""
        now = datetime.now(UTC)
        self._issued += 1
        file = self._folder / f"{name}-{self._issued}.pem"
        file.write_bytes(self._authority.issue([name], now + start, now + end))
        file.chmod(0o600)
        return file, file
