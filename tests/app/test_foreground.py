"""A foreground command stops on a signal, whatever has become of the terminal that it wrote to."""

import asyncio
import errno
import io
import os
import signal

import pytest

from clawactors.app.cli.foreground import StopSignals


class GoneTerminal(io.StringIO):
    """As the kernel answers once the window is closed."""

    def write(self, _: str) -> int:
        raise OSError(errno.EIO, "Input/output error")


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM])
async def test_the_first_signal_stops_also_where_nobody_can_be_told(
    monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    monkeypatch.setattr("sys.stderr", GoneTerminal())
    forced: list[bool] = []
    with StopSignals(lambda: forced.append(True)) as signals:
        os.kill(os.getpid(), number)
        async with asyncio.timeout(5):
            await signals.stopping.wait()
        assert not forced
