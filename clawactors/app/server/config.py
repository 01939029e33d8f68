"""The configuration of a data folder's server."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

from clawactors.app.identity.authority import Authority
from clawactors.app.logpipe import LOG_BYTES, LOG_FILES
from clawactors.app.server.identity import HOST, ServerIdentity

__all__ = ["ACCOUNTS", "NOWHERE", "PRIMARY", "STANDBY", "ServerLink", "render"]

PRIMARY: Final = "claw"
STANDBY: Final = "claw-standby"
"""JetStream domains: a cluster that has a mirror, and the server that holds it."""
ACCOUNTS: Final = "accounts"
"""The folder in which the server keeps the claims of its accounts, also those that it was told while it ran."""
_WITHIN: Final = ["claw.>", "live.>", "$KV.>", "$O.>", "$SRV.>"]


class ServerLink(msgspec.Struct, frozen=True):
    """How a server is connected to one of another place.

    `mirror` is the address that it dials, with user and password; `standby` is where it is dialled.
    """

    mirror: str = ""
    standby: str = ""


NOWHERE: Final = ServerLink()


def render(
    identity: ServerIdentity,
    authority: Authority,
    folder: Path,
    *,
    max_file_store: int,
    revoked: Mapping[str, int],
    link: ServerLink = NOWHERE,
    listen: str = "",
    certificate: Path | None = None,
) -> str:
    """The configuration file of a server that keeps everything in `folder`.

    Who may connect is signed by the authority; `revoked` are the users' keys that it refuses. At `listen` other
    machines connect too; `certificate` is the file with the certificate and its key.

    `sync_interval: always` makes an acknowledged append survive a power cut; the server's default loses minutes.
    `max_file_store` (bytes) is less than the disk holds, so that appends are refused with an error while there still
    is space; on a full disk they would only time out.
    """
    text = json.dumps
    accounts = "\n".join(f"  {key}: {claims}" for key, claims in authority.accounts(revoked).items())
    return f"""\
# Written at every start; changes are lost.
server_name: {text(identity.name)}
listen: {text(listen or f"{HOST}:{identity.port}")}
{_tls(certificate)}http: "{HOST}:{identity.http_port}"

jetstream {{
  store_dir: {text(str(folder), ensure_ascii=False)}
  sync_interval: always
  max_memory_store: {256 << 20}
  max_file_store: {max_file_store}
{_domain(link)}}}
{_leaf(link, authority.account)}

operator: {authority.operator_claims()}
system_account: {authority.system}
resolver {{ type: full, dir: {text(str(folder / ACCOUNTS), ensure_ascii=False)}, allow_delete: true }}
resolver_preload {{
{accounts}
}}
# Who brings no signed credentials is asked about by user and password.
default_sentinel: {text(authority.sentinel())}

# A reader that falls behind, and a writer that bursts, are given room before they are cut off.
max_pending: {256 << 20}
write_deadline: "10s"

log_file: {text(str(folder / "nats.log"), ensure_ascii=False)}
log_size_limit: {LOG_BYTES}
log_max_num: {LOG_FILES}
"""


def _tls(certificate: Path | None) -> str:
    """Nobody speaks plainly with a server that other machines reach."""
    if certificate is None:
        return ""
    file = json.dumps(str(certificate), ensure_ascii=False)
    return f"tls {{ cert_file: {file}, key_file: {file}, timeout: 5 }}\n"


def _domain(link: ServerLink) -> str:
    """The name under which the other side knows this JetStream."""
    domain = PRIMARY if link.mirror else STANDBY if link.standby else ""
    return f"  domain: {domain}\n" if domain else ""


def _leaf(link: ServerLink, account: str) -> str:
    """The connection of two places: of what a cluster says within itself nothing passes."""
    text = json.dumps
    if link.standby:
        return f"\nleafnodes {{ listen: {text(link.standby)} }}\n"
    if not link.mirror:
        return ""
    exports, imports = text([*_WITHIN, "_INBOX.>"]), text(_WITHIN)
    remote = f"url: {text(link.mirror)}, account: {account}, deny_imports: {imports}, deny_exports: {exports}"
    return f"\nleafnodes {{\n  reconnect: 2\n  remotes: [{{ {remote} }}]\n}}\n"
