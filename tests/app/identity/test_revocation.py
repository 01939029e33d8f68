"""A key that counts no longer opens nothing, whatever is signed for it later."""

from pathlib import Path
from typing import Any

import pytest

from clawactors.app.datafolder import DataFolder
from clawactors.app.identity.admissions import Admissions
from clawactors.app.identity.roles import Role
from clawactors.app.identity.tokens import Key, KeyKind, credentials
from clawactors.app.server import NatsServer
from clawactors.eventlog import Misconfigured
from clawactors.eventlog.jetstream import Address, Connection
from clawactors.kernel.fold import Snapshot
from clawactors.systems.identities import Identity

pytestmark = pytest.mark.nats


async def test_claims_that_are_signed_after_the_revocation_are_refused_too(tmp_path: Path) -> None:
    with DataFolder.claim(tmp_path / "data") as folder:
        server, nobody = NatsServer(folder), None
        client: Any = nobody
        await server.start()
        try:
            access, key, other = server.access, Key.new(KeyKind.USER), Key.new(KeyKind.USER)

            async def is_let_in(key: Key) -> bool:
                signed = credentials(access.authority.admit(Role.CLIENT, "ada", key.public), key)
                address = Address((f"nats://127.0.0.1:{access.identity.port}",), credentials=signed)
                try:
                    async with await Connection.open(address, "test", inbox="_INBOX.ada"):
                        return True
                except Misconfigured:
                    return False

            assert await is_let_in(key)
            admissions = Admissions(client, access)
            admissions._known["ada"] = Snapshot(Identity(retired=((key.public, 1),)), 1)
            await admissions._tell(1)
            assert not await is_let_in(key)
            assert await is_let_in(other)
        finally:
            await server.stop()
