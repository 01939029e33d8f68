"""What the commands for clusters and nodes take."""

import argparse
from typing import Final

from clawactors.app.cli.arguments.watch import past_arguments, watch_argument
from clawactors.app.cli.parsing import Parser, count, duration, interval, lease, pair, port, time, words

__all__ = [
    "BENCHES",
    "DIMENSIONS",
    "SHELLS",
    "bench",
    "candidates",
    "completion",
    "demo",
    "doctor",
    "down",
    "login",
    "node",
    "node_options",
    "nodes",
    "presence",
    "serve",
    "skills",
    "stats",
    "status",
    "up",
]

DIMENSIONS: Final = ("skill", "node", "user", "tag", "error", "hour")
"""In which `claw stats` counts tasks."""
SHELLS: Final = ("bash", "zsh", "fish")
_WORK: Final = (
    "tasks",
    "awaited",
    "read",
    "steps",
    "children",
    "workflows",
    "parking",
    "latency",
    "recovery",
    "idle",
    "query",
)
_STORES: Final = ("append", "replay", "archive", "backup")
BENCHES: Final = (*_WORK, *_STORES, "memory", "all")
_INSTALLING: Final = """\
bash: claw completion bash > ~/.local/share/bash-completion/completions/claw
zsh:  claw completion zsh > a file _claw in a folder of $fpath
fish: claw completion fish > ~/.config/fish/completions/claw.fish"""


def node_options(parser: Parser) -> None:
    """What `claw up` and `claw join` take for the nodes that they start."""
    parser.add_argument(
        "--slots", type=count, metavar="N", help="tasks that a node runs at once (default: the setting node.slots, 5)"
    )
    parser.add_argument("--skills", nargs="+", action="extend", default=[], metavar="MODULE|FILE", help="your skills")
    parser.add_argument(
        "--allow",
        nargs="+",
        action="extend",
        default=[],
        metavar="MODULE:FUNCTION|shell",
        help="functions that the skill `python` may call; `shell`: any program, at a server that others reach too",
    )
    worker = "a program in another language that runs skills, as in 'node worker.js'; repeat it for several"
    parser.add_argument("--worker", action="append", default=[], metavar="COMMAND", help=worker)
    parser.add_argument("--secrets", metavar="FILE", help="file with NAME=VALUE lines, for skills that request secrets")
    parser.add_argument(
        "--lease",
        type=lease,
        metavar="D",
        help="declare a node dead after D without a heartbeat (default: the setting node.lease, 1.5s)",
    )


def up(parser: Parser) -> None:
    """What `claw up` takes."""
    parser.add_argument("--nodes", type=count, default=2, metavar="N", help="node processes (default 2)")
    node_options(parser)
    parser.add_argument("--port", type=port, metavar="P", help="TCP port of the server")
    parser.add_argument(
        "--listen",
        metavar="ADDR",
        help="let other machines join, with TLS: an address or a name of this machine, 0.0.0.0, or tailscale",
    )
    parser.add_argument(
        "--memory-daily",
        type=interval,
        metavar="D|off",
        help="how often memory consolidates what is new since the last time (default: the setting memory.daily, 1d)",
    )
    parser.add_argument(
        "--no-memory-incremental",
        dest="memory_incremental",
        action="store_false",
        default=None,
        help="consolidate memories daily and on request only",
    )
    parser.add_argument(
        "--no-memory-extraction",
        dest="memory_extracts",
        action="store_false",
        default=None,
        help="make no memories of chat messages",
    )
    parser.add_argument(
        "--memory-config",
        metavar="FILE",
        help="models and other parts of memory (default: CLAW_MEMORY_CONFIG, else memory.toml in the data folder)",
    )
    parser.add_argument("--chat", metavar="FILE", help="answer in Telegram, with the bot's token in this file")
    parser.add_argument("--web", action="store_true", help="serve the HTTP API and the dashboard, on loopback")
    _http_port(parser)
    parser.add_argument(
        "--mirror", metavar="URL", help="mirror the log on a second server: claw up --standby prints URL"
    )
    parser.add_argument(
        "--standby", metavar="HOST:PORT", help="only run a server, which mirrors a cluster that dials this address"
    )
    parser.add_argument(
        "--take-over", action="store_true", help="go on from what was mirrored here; stop the other cluster first"
    )
    parser.add_argument("--no-restart", dest="restart", action="store_false", help="don't restart crashed processes")
    parser.add_argument(
        "--detach", action="store_true", help="run in the background: return when it is ready; `claw down` stops it"
    )
    parser.add_argument("--detached", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--lock", type=int, help=argparse.SUPPRESS)


def _http_port(parser: Parser) -> None:
    parser.add_argument(
        "--http-port", type=port, metavar="P", help="the port of the HTTP API (default: 8420, or a free one)"
    )


def serve(parser: Parser) -> None:
    """What `claw serve` takes."""
    _http_port(parser)


def login(parser: Parser) -> None:
    """What `claw login` takes."""


def down(parser: Parser) -> None:
    """What `claw down` takes."""


def nodes(parser: Parser) -> None:
    """What `claw nodes` takes."""
    parser.add_argument("--status", default="", help="in this state: online, busy, draining, cordoned, offline")
    parser.add_argument("--skill", default="", help="that offer this skill")
    parser.add_argument("--available", action="store_true", help="that take work and have a free slot")
    silent = "that are said to live, and were not heard for this long, as in 30s"
    parser.add_argument("--silent", dest="silent_s", type=duration, metavar="D", help=silent)
    past_arguments(parser)
    watch_argument(parser)


def node(parser: Parser) -> None:
    """What `claw node` takes."""
    parser.add_argument("words", nargs="+", metavar="[set] NODE")
    parser.add_argument("--slots", type=count, metavar="N", help="set: tasks that the node runs at once")
    parser.add_argument("--affinity", type=pair, action="append", metavar="K=V", help="set: a label; K= removes it")


def presence(parser: Parser) -> None:
    """What `claw drain`, `cordon`, `uncordon` and `remove` take."""
    parser.add_argument("id", metavar="NODE")


def skills(parser: Parser) -> None:
    """What `claw skills` takes."""
    parser.add_argument("name", nargs="?", metavar="NAME", help="one skill, and what follows each class of error")


def status(parser: Parser) -> None:
    """What `claw status` takes."""
    parser.add_argument("--ready", action="store_true", help="only exit: 0 ready for work, 5 not (health checks)")
    past_arguments(parser)
    watch_argument(parser)


def stats(parser: Parser) -> None:
    """What `claw stats` takes."""
    parser.add_argument(
        "--by", type=words, default=list(DIMENSIONS), metavar="A,B", help=f"only by these: {', '.join(DIMENSIONS)}"
    )
    parser.add_argument("--since", type=time, metavar="TIME", help="only hours from this time on")
    parser.add_argument("--until", type=time, metavar="TIME", help="only hours up to this time")
    parser.add_argument(
        "--limit",
        type=count,
        default=10,
        metavar="N",
        help="at most N values each, those with the most tasks (default 10)",
    )
    watch_argument(parser)


def doctor(parser: Parser) -> None:
    """What `claw doctor` takes."""
    parser.add_argument("--verbose", action="store_true", help="also show control's middleware, in order")
    parser.add_argument(
        "--accept", action="store_true", help="you know of the faults and dead letters that there are: no error again"
    )
    parser.add_argument(
        "--repair", action="store_true", help="make streams that are missing beside the log, set changed ones back"
    )


def demo(parser: Parser) -> None:
    """What `claw demo` takes."""


def completion(parser: Parser) -> None:
    """What `claw completion` takes."""
    parser.add_argument("shell", choices=SHELLS, help="for which shell")
    parser.epilog, parser.formatter_class = _INSTALLING, argparse.RawDescriptionHelpFormatter


def bench(parser: Parser) -> None:
    """What `claw bench` takes."""
    parser.add_argument("name", choices=BENCHES, help="what to measure")
    parser.add_argument("--n", type=count, metavar="N", help="number of operations")
    parser.add_argument("--records", type=count, default=0, metavar="N", help="fill the log with N records first")


def candidates(parser: Parser) -> None:
    """What `claw __complete` takes."""
    parser.add_argument("words", nargs="*", metavar="WORD", help="the command line so far, after `claw`")
