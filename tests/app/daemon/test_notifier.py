import asyncio
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from clawactors.app.daemon.notifier import Notifier


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as made:
        made.bind(str(tmp_path / "notify"))
        made.settimeout(5)
        yield made


async def test_systemd_is_told_ready_alive_and_stopping(manager: socket.socket) -> None:
    env = {"NOTIFY_SOCKET": manager.getsockname(), "WATCHDOG_USEC": "3000", "WATCHDOG_PID": str(os.getpid())}
    with Notifier(env) as service:
        assert env == {}, "no process of a skill may speak for the service"
        service.ready("the cluster\non /data")
        assert manager.recv(999) == b"READY=1\nSTATUS=the cluster on /data"
        for _ in range(3):
            assert await asyncio.to_thread(manager.recv, 999) == b"WATCHDOG=1"
        service.stopping()
        while (told := manager.recv(999)) == b"WATCHDOG=1":
            pass
        assert told.startswith(b"STOPPING=1\n")


async def test_an_abstract_address_is_understood() -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(f"\0claw-test-{os.getpid()}")
        manager.settimeout(5)
        with Notifier({"NOTIFY_SOCKET": f"@claw-test-{os.getpid()}"}) as service:
            service.ready("")
            assert manager.recv(999).startswith(b"READY=1")


async def test_nothing_is_said_where_nobody_listens(tmp_path: Path) -> None:
    for address in ("", "vsock:2:1", str(tmp_path / "gone")):
        with Notifier({"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "1000"}) as service:
            service.ready("")
            service.stopping()


async def test_a_watchdog_of_another_process_is_not_answered(manager: socket.socket) -> None:
    with Notifier({"NOTIFY_SOCKET": manager.getsockname(), "WATCHDOG_USEC": "1", "WATCHDOG_PID": "1"}) as service:
        service.ready("")
        await asyncio.sleep(0)
        service.stopping()
        assert manager.recv(999).startswith(b"READY")
        assert manager.recv(999).startswith(b"STOPPING")
