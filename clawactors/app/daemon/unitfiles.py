"""The files that describe a service: a unit of systemd, a property list of launchd."""

import plistlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from clawactors.app.daemon.plan import ENVIRONMENT_FILE, ServicePlan

__all__ = ["LABEL_PREFIX", "plist_bytes", "unit_text"]

LABEL_PREFIX: Final = "claw.service."

_STOP_S: Final = 75
"""`claw down` waits for so long as well: nodes hand back their work, the server syncs."""


def unit_text(plan: ServicePlan) -> str:
    """The unit. Its program says when it is ready, that it lives, and that it stops."""
    plan.checked()
    return "\n".join(_lines(plan)) + "\n"


def _lines(plan: ServicePlan) -> Iterator[str]:
    yield "[Unit]"
    yield f"Description=ClawActors: claw {plan.words[0]}, {_plain(plan.data)}"
    if plan.is_system:  # the manager of a user knows neither
        yield "Wants=network-online.target"
        yield "After=network-online.target"
        yield f"RequiresMountsFor={_quoted(str(plan.data))}"
    yield "StartLimitIntervalSec=0"
    yield ""
    yield "[Service]"
    yield "Type=notify"
    yield "NotifyAccess=main"
    program, *arguments = plan.command
    yield f"ExecStart={' '.join((_quoted(program), *(_quoted(each).replace('$', '$$') for each in arguments)))}"
    yield f"WorkingDirectory={_plain(plan.folder)}"
    yield f"Environment={_quoted(f'PATH={plan.path}')}"
    yield f"EnvironmentFile=-{_plain(plan.data / ENVIRONMENT_FILE)}"
    if plan.is_system:
        yield f"User={plan.user}"
    yield "# On standard output are addresses with passwords; messages come on standard error."
    yield "StandardOutput=null"
    yield "StandardError=journal"
    yield f"SyslogIdentifier={plan.name}"
    yield "Restart=on-failure"
    yield "RestartSec=5"
    yield "# Wrong options, and for a node another one with its id, stay wrong."
    yield f"RestartPreventExitStatus={'2 4' if plan.words[0] == 'join' else '2'}"
    yield "# Stopped before it was ready."
    yield "SuccessExitStatus=130"
    yield "TimeoutStartSec=15min"
    yield f"TimeoutStopSec={_STOP_S}"
    yield "WatchdogSec=60"
    yield "# The supervisor alone is told to stop: it lets the nodes drain before the server ends."
    yield "KillMode=mixed"
    yield "# A skill that the kernel kills for its memory ends alone."
    yield "OOMPolicy=continue"
    yield "LimitNOFILE=65536"
    yield "NoNewPrivileges=yes"
    yield "LockPersonality=yes"
    yield "RestrictRealtime=yes"
    if plan.is_system:
        yield from (f"{name}=yes" for name in ("ProtectClock", "ProtectControlGroups", "ProtectKernelModules"))
        yield from (f"{name}=yes" for name in ("ProtectKernelLogs", "ProtectKernelTunables"))
    yield ""
    yield "[Install]"
    yield f"WantedBy={'multi-user' if plan.is_system else 'default'}.target"


def _plain(path: Path) -> str:
    """For a value that is the rest of its line."""
    return str(path).replace("%", "%%")


def _quoted(text: str) -> str:
    """One word of a list of words."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%") + '"'


def plist_bytes(plan: ServicePlan) -> bytes:
    """The property list: it starts at log-in (a daemon: at boot), and again after a failure."""
    plan.checked()
    log = str(plan.data / "logs" / "service.log")
    described: dict[str, Any] = {
        "Label": LABEL_PREFIX + plan.name,
        "ProgramArguments": list(plan.command),
        "WorkingDirectory": str(plan.folder),
        "EnvironmentVariables": {"PATH": plan.path},
        "RunAtLoad": True,
        "KeepAlive": {"SuccessfulExit": False},
        "ThrottleInterval": 10,
        "ExitTimeOut": _STOP_S,
        "ProcessType": "Interactive",
        "SoftResourceLimits": {"NumberOfFiles": 65536},
        "StandardOutPath": "/dev/null",
        "StandardErrorPath": log,
    }
    if plan.is_system:
        described["UserName"] = plan.user
    return plistlib.dumps(described, sort_keys=False)
