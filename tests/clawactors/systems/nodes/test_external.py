"""Commands to nodes from other programs: what a person may ask, and nothing that a node says of itself."""

import pytest

from clawactors.kernel.errors import Refused
from clawactors.kernel.external import DecodedCommand
from clawactors.systems.nodes import commands as c
from clawactors.systems.nodes.kind import NODES


@pytest.mark.parametrize(
    ("body", "command"),
    [
        (b'{"type":"node.drain"}', c.DrainNode(held=True)),
        (b'{"type":"node.cordon"}', c.CordonNode()),
        (b'{"type":"node.uncordon"}', c.UncordonNode()),
        (b'{"type":"node.remove"}', c.RemoveNode()),
        (b'{"type":"node.configure","slots":9}', c.ConfigureNode(9)),
        (b'{"type":"node.configure","affinity":{"gpu":"a100"}}', c.ConfigureNode(None, {"gpu": "a100"})),
    ],
)
def test_a_command_from_outside_is_one_of_ours(body: bytes, command: c.NodeCommand) -> None:
    assert NODES.read_command(body, "nats", 7) == DecodedCommand(command)
    assert NODES.read_command(body[:-1] + b',"id":"once"}', "nats", 7) == DecodedCommand(command, "once")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"drain",
        b"{}",
        b'{"type":"node.join","joined":{"incarnation":"i1"}}',
        b'{"type":"node.lose","incarnation":"i1","reason":""}',
        b'{"type":"node.drained"}',
        b'{"type":"task.cancel"}',
        b'{"type":"node.configure","slots":-1}',
        b'{"type":"node.configure","slots":"9"}',
        b'{"type":"node.configure","affinity":{"a":1}}',
        b'{"type":"node.drain","id":"a b"}',
        b'{"type":"node.drain","when":"now"}',
    ],
)
def test_what_is_no_command_is_refused(body: bytes) -> None:
    with pytest.raises(Refused):
        NODES.read_command(body, "nats", 7)
