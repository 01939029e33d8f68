"""Tenants: accounts beside the cluster's own on one server; each runs a cluster of its own there, and shares nothing.

The server keeps the claims of an account by itself; the data folder keeps the key that signs the tenant's users.
"""

import json
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from clawactors.app.datafolder import explained, write_private
from clawactors.app.identity.authority import Authority
from clawactors.app.identity.roles import Role, rights_of
from clawactors.app.identity.tokens import Key, KeyKind, account_claims, credentials, sign, user_claims
from clawactors.app.server.access import send_claims
from clawactors.eventlog import is_id
from clawactors.eventlog.jetstream import Address
from clawactors.eventlog.jetstream.wire.contexts import context_file
from clawactors.kernel.errors import Exists, NotFound, Refused

__all__ = ["Tenant", "add_tenant", "remove_tenant", "tenants_of"]

_FILE: Final = "tenants.json"
_DELETE: Final = "$SYS.REQ.CLAIMS.DELETE"


class Tenant(msgspec.Struct, frozen=True, omit_defaults=True):
    """An account: the seed of its key, and its quotas, -1 for none."""

    seed: str
    storage_bytes: int = -1
    connections: int = -1
    added_s: int = 0

    @property
    def account(self) -> str:
        """The public key of the account."""
        return Key(self.seed).public


def tenants_of(data: Path) -> dict[str, Tenant]:
    """Those of a data folder, by name. Raises: `Misconfigured` where the file can't be read."""
    path = data / "server" / _FILE
    with explained(data):
        try:
            return msgspec.json.decode(path.read_bytes(), type=dict[str, Tenant])
        except FileNotFoundError:
            return {}


async def add_tenant(
    data: Path,
    authority: Authority,
    place: Address,
    system: Address,
    name: str,
    *,
    storage_bytes: int = -1,
    connections: int = -1,
    env: Mapping[str, str] = os.environ,
) -> Path:
    """Makes the account, and a context of the nats CLI by which a cluster of its own is run and asked; its file.

    `place` is where the tenant connects. Raises: `Exists`, `Refused` (what can be no name), `Unavailable`.
    """
    if not is_id(name):
        raise Refused(f"{name[:60]!r} is no name: use 1 to 128 letters, digits, '-' or '_'")
    known, context = tenants_of(data), context_file(name, env)
    if name in known:
        raise Exists(f"the tenant {name!r} exists: choose another name")
    if context.exists():
        raise Exists(f"the context {name!r} exists in {context}: choose another name, or remove that file")
    tenant = Tenant(Key.new(KeyKind.ACCOUNT).seed, storage_bytes, connections, int(time.time()))
    limits = {"disk_storage": storage_bytes}
    claims = account_claims(storage=limits, connections=connections)
    await send_claims(system, authority.sign_account(tenant.account, name, claims))
    user = Key.new(KeyKind.USER)
    everything = user_claims(rights_of(Role.ADMIN, name))
    signed = sign(Key(tenant.seed), user.public, name, everything, at_s=tenant.added_s)
    folder = data / "tenants"
    with explained(data):
        folder.mkdir(mode=0o700, exist_ok=True)
        write_private(folder / f"{name}.creds", credentials(signed, user).encode())
        write_private(data / "server" / _FILE, msgspec.json.encode(known | {name: tenant}))
        ca = ""
        if place.ca_pem:
            ca = str(folder / "ca.pem")
            write_private(Path(ca), place.ca_pem.encode())
        context.parent.mkdir(parents=True, exist_ok=True)
        content: dict[str, Any] = {
            "description": f"the tenant {name} of {data}",
            "url": ",".join(place.urls),
            "creds": str(folder / f"{name}.creds"),
        }
        write_private(context, json.dumps(content | ({"ca": ca} if ca else {}), indent=2).encode())
    return context


async def remove_tenant(
    data: Path, authority: Authority, system: Address, name: str, env: Mapping[str, str] = os.environ
) -> None:
    """Ends the account and its connections; nobody gets at what it has stored any longer.

    Raises: `NotFound`, `Unavailable`.
    """
    known = tenants_of(data)
    if name not in known:
        raise NotFound(f"there is no tenant {name!r}")
    await send_claims(system, authority.sign_removal(known[name].account), subject=_DELETE)
    with explained(data):
        write_private(
            data / "server" / _FILE, msgspec.json.encode({each: known[each] for each in known if each != name})
        )
        (data / "tenants" / f"{name}.creds").unlink(missing_ok=True)
        context_file(name, env).unlink(missing_ok=True)
