"""A running server gets new certificates: for new addresses, and before the old ones expire."""

import asyncio
import signal
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from clawactors.app.tls.authority import CertificateAuthority
from clawactors.app.tls.code import pem_of_code
from clawactors.app.tls.renewing import renew_always
from clawactors.eventlog import Misconfigured
from clawactors.eventlog.jetstream import Address, Connection
from tests.servers import NatsServer


@pytest.mark.nats
async def test_a_running_server_takes_new_names_and_a_new_key(
    own_server: Callable[..., NatsServer], tmp_path: Path
) -> None:
    authority = CertificateAuthority.load_or_make(tmp_path / "tls")
    names = ["other.test"]
    authority.renew(names)
    file = authority.server_file
    server = own_server(f'tls {{ cert_file: "{file}", key_file: "{file}" }}', jetstream=False)
    address = Address(urls=(server.url(),), ca_pem=pem_of_code(authority.code))
    with pytest.raises(Misconfigured, match="it is for another name"):
        await Connection.open(address, "early")
    names.append("127.0.0.1")
    renewing = asyncio.ensure_future(
        renew_always(authority.rotated(), lambda: names, lambda: server.signal(signal.SIGHUP), look_every_s=0.01)
    )
    async with await _opened(address) as connection:
        assert connection.online
    renewing.cancel()


async def _opened(address: Address) -> Connection:
    async with asyncio.timeout(10):
        while True:
            try:
                return await Connection.open(address, "test")
            except Misconfigured:
                await asyncio.sleep(0)


class FullDisk:
    """Refuses until it is emptied."""

    def __init__(self) -> None:
        self.asked, self.is_full = 0, True

    def renew(self, names: Iterable[str]) -> bool:
        self.asked += 1
        if self.asked > 3:
            self.is_full = False
        if self.is_full:
            raise Misconfigured("the disk is full")
        return True


async def test_what_hinders_it_is_told_once_and_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    disk, reloaded = FullDisk(), asyncio.Event()
    renewing = asyncio.ensure_future(renew_always(disk, lambda: ["any"], reloaded.set, look_every_s=0))
    async with asyncio.timeout(10):
        await reloaded.wait()
    renewing.cancel()
    assert disk.asked >= 4
    assert caplog.text.count("the disk is full") == 1
