"""`claw notify add|list|show|test|mute|unmute|redrive|remove|alarms`: who is told what."""

from collections.abc import Iterable, Iterator
from typing import Any, Final

from clawactors.app.cli.named import print_all, print_one
from clawactors.app.cli.output import Facts, Part, Table, emit, note, when
from clawactors.app.cli.session import explained, hinted, with_client
from clawactors.app.client import Client
from clawactors.app.problem import Problem
from clawactors.runtime.client.triggerrows import AlarmRow, NotificationRow

__all__ = ["run"]

_LISTS: Final = "claw notify list shows all notifications"


def run(options: Any) -> int:
    """Runs the verb and prints the rule's new state."""
    verb, given = options.verb, _given(options)
    if verb in ("list", "alarms"):
        if options.name or given or options.span is not None:
            raise Problem("usage", f"usage: notify {verb}")
        if verb == "alarms":
            return print_all(options, lambda client: client.notifications.alarms(), _alarms)
        return print_all(options, lambda client: client.notifications.list(), _table)
    if not options.name or (given and verb != "add") or (options.span is not None and verb != "mute"):
        raise Problem("usage", f"usage: notify {verb} NAME{' --when A,B --to TARGET' if verb == 'add' else ''}")
    if verb == "add" and not (options.when and options.to):
        raise Problem("usage", "usage: notify add NAME --when dead,approval --to TARGET", "claw notify --help")
    if verb == "test":
        return with_client(options, lambda client: _test(client, options))

    async def ask(client: Client) -> NotificationRow:
        rules, name = client.notifications, options.name
        match verb:
            case "add":
                return await rules.add(name, **given)
            case "show":
                return await rules.get(name)
            case "mute":
                return await rules.mute(name, options.span)
            case "unmute":
                return await rules.unmute(name)
            case "redrive":
                return await rules.redrive(name)
            case _:
                return await rules.remove(name)

    return print_one(options, "notification", ask, _card, changes=verb != "show", command="notify")


def _given(options: Any) -> dict[str, Any]:
    names = ("when", "to", "skill", "tag", "user", "every", "secret")
    return {name: value for name in names if (value := getattr(options, name)) is not None}


async def _test(client: Client, options: Any) -> int:
    with hinted(_LISTS), explained("fix it and try again; the rule stays as it is"):
        await client.notifications.test(options.name)
    emit(options, {"name": options.name, "sent": True}, list)
    note(f"a message went out by {options.name}")
    return 0


def _card(row: NotificationRow) -> Iterator[Part]:
    yield Facts(
        [
            ("name", row.name),
            ("status", row.status),
            ("when", row.when),
            ("to", row.to),
            ("skill", row.skill),
            ("tag", row.tag),
            ("user", row.user),
            ("every", f"{row.every_s:g} s"),
            ("secret", row.secret),
            ("muted until", when(row.muted_until)),
            ("sent", row.sent),
            ("failed", row.failed),
            ("last", when(row.last_at)),
            ("version", row.version),
        ]
    )
    if row.failures:
        yield Table(
            ("FAILED", "EVENT", "TRIES", "AT", "REASON"),
            ((each.id, each.event, each.tries, when(each.at), each.reason) for each in row.failures),
            uncut=("FAILED", "REASON"),
        )


def _table(rows: Iterable[NotificationRow]) -> Iterator[Part]:
    yield Table(
        ("NAME", "STATUS", "WHEN", "TO", "SENT", "FAILED", "LAST"),
        ((row.name, row.status, row.when, row.to, row.sent, row.failed, when(row.last_at)) for row in rows),
        uncut=("NAME",),
    )


def _alarms(rows: Iterable[AlarmRow]) -> Iterator[Part]:
    yield Table(
        ("ALARM", "STATUS", "SINCE", "TIMES", "REASON"),
        ((row.name, row.status, when(row.since), row.times, row.reason) for row in rows),
        uncut=("REASON",),
    )
