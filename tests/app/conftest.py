"""Waiting for processes that are not ours to wait for."""

import os
import select
from collections.abc import Callable

import pytest

type Watch = Callable[[int], Callable[[], bool]]


@pytest.fixture
def watch() -> Watch:
    """Begins to watch a process by its pid; what it gives back waits for the end, up to ten seconds."""

    def begin(pid: int) -> Callable[[], bool]:
        handle = os.pidfd_open(pid)

        def ended() -> bool:
            try:
                return bool(select.select([handle], [], [], 10)[0])
            finally:
                os.close(handle)

        return ended

    return begin
