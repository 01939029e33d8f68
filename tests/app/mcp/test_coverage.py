"""Every method of the client is reachable over MCP, but for those that this page names with a reason."""

import re
from pathlib import Path

import pytest

from clawactors import Client
from clawactors.runtime.client.backups import ClusterBackups
from clawactors.runtime.client.bridges import Bridges
from clawactors.runtime.client.files import TaskFiles
from clawactors.runtime.client.identities import Identities
from clawactors.runtime.client.keys import ApiKeys
from clawactors.runtime.client.recording import ClientMemories
from clawactors.runtime.client.settings import ClusterConfig
from clawactors.runtime.client.workflows import Workflows
from tests.app.clientparts import PARTS
from tests.scenario.claw import ROOT

SOURCE = "\n".join(path.read_text("utf-8") for path in Path(ROOT, "clawactors", "app", "mcp").rglob("*.py"))
NO_CALL = {
    Client: {"connect", "of", "close", "aclose"}  # how a client comes and goes
    | {"state", "command", "ask", "ask_for_change", "skills"}  # for programs that extend the product
    | {"run", "ended", "each_task", "resolve"}  # submit, wait and list do it call by call
    | {"submit_one", "redrive", "change_many"}  # submit, and change_tasks, do the same
    | {"cluster"}  # which server may be stopped is for who runs the servers
    | {"identities"}  # see Identities
    | {"leader", "node"},  # a part of status, and of nodes
    ApiKeys: {"add", "get", "grant", "list", "revoke"},  # who may ask over HTTP is no agent's to say
    Identities: {"get", "invite", "join", "list", "renew", "revoke"},  # who may connect is no agent's to say
    ClientMemories: {"record", "record_many", "say", "recall", "remember", "context"},  # as methods of the client
    Bridges: {"state", "number", "answering", "advance"},  # what a bridge itself notes
    ClusterBackups: {"note"},  # what makes a backup says so
    TaskFiles: {"put", "download"},  # an agent gives texts and gets texts; files of this machine are not its
    ClusterConfig: {"settings", "version", "change", "difference", "watch"},  # told by list, set and history
    Workflows: {"run", "check_params"},  # submit checks them
}


@pytest.mark.parametrize("kind", [Client, *PARTS.values()])
def test_every_method_is_called(kind: type) -> None:
    names = {name for name in dir(kind) if not name.startswith("_")} - NO_CALL.get(kind, set())
    missing = {name for name in names if not re.search(rf"\.{name}\b", SOURCE)}
    assert not missing, "give each a tool in clawactors/app/mcp/tools and a word in docs/mcp.md, or a reason above"
