"""What the commands for machines and people take."""

import argparse
import re

from clawactors.app.cli.arguments.cluster import node_options
from clawactors.app.cli.parsing import LIST, Parser, count, duration, pair

__all__ = ["invite", "join", "revoke", "rotate", "tenant", "who"]

_ROLES = ("node", "client", "observer")
_STATUSES = ("invited", "expired", "joined", "revoked")


def invite(parser: Parser) -> None:
    """What `claw invite` takes."""
    parser.add_argument("role", choices=_ROLES, metavar="node|client|observer")
    parser.add_argument("name", metavar="NAME", help="who is invited: the node's id, or what a person is called")
    parser.add_argument(
        "--skills", **LIST, metavar="A,B", help="node: modules or files that it runs where it says no other ones"
    )
    parser.add_argument(
        "--expires", type=duration, default=7 * 86_400.0, metavar="D", help="how long the line is good (default 7d)"
    )
    parser.add_argument(
        "--uses", type=count, default=1, metavar="N", help="how many may join by it, as NAME-1, NAME-2 … (default 1)"
    )


def who(parser: Parser) -> None:
    """What `claw who` takes."""
    parser.add_argument("name", nargs="?", metavar="NAME", help="only this one")
    parser.add_argument("--role", choices=_ROLES, default="", metavar="ROLE", help="only these: node, client, observer")
    parser.add_argument(
        "--status",
        choices=_STATUSES,
        default="",
        metavar="STATUS",
        help="only these: invited, expired, joined, revoked",
    )


def revoke(parser: Parser) -> None:
    """What `claw revoke` takes."""
    parser.add_argument("name", metavar="NAME", help="as claw who shows it")
    parser.add_argument("--reason", default="", metavar="TEXT", help="why, for the record")


def rotate(parser: Parser) -> None:
    """What `claw rotate` takes."""


def join(parser: Parser) -> None:
    """What `claw join` takes."""
    parser.add_argument(
        "line", nargs="*", metavar="LINE", help="what claw invite has printed; without it, the cluster joined before"
    )
    parser.add_argument("--id", help="the node's id (default: the name of this machine)")
    node_options(parser)
    parser.add_argument(
        "--affinity",
        nargs="+",
        action="extend",
        type=pair,
        default=[],
        metavar="K=V",
        help="labels that tasks can require",
    )


def tenant(parser: Parser) -> None:
    """What `claw tenant` takes."""
    parser.add_argument("verb", choices=("add", "list", "remove"), metavar="add|list|remove")
    parser.add_argument("name", nargs="?", metavar="NAME", help="the tenant, and its context of the nats CLI")
    parser.add_argument("--storage", type=_size, metavar="SIZE", help="add: how much it may store, as in 10GB")
    parser.add_argument("--connections", type=count, metavar="N", help="add: how many connections it may have")


def _size(text: str) -> int:
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMGT]?)B?", text.strip(), re.IGNORECASE)
    if not found or not (bytes_ := int(float(found[1]) * 1000 ** " KMGT".index(found[2].upper() or " "))):
        raise argparse.ArgumentTypeError(f"{text!r} is no size: use a number with a unit, as in 10GB or 500MB")
    return bytes_
