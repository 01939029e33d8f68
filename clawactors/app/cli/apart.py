"""The digest of a store that no process keeps, read in a process of its own: damage may end that one alone."""

import asyncio
import logging
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from pathlib import Path

from clawactors.app.projections import projection_named
from clawactors.projections.engine.damage import distrust
from clawactors.projections.engine.digest import StoreDigest, store_digest
from clawactors.projections.engine.store import Damaged
from clawactors.projections.live import live_store

__all__ = ["digest_apart"]


async def digest_apart(folder: Path, name: str, views: tuple[str, ...]) -> StoreDigest:
    """The digest of the live store below the folder. Raises: `Unavailable` where there is none, `Corrupt`."""
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        try:
            return await asyncio.get_running_loop().run_in_executor(pool, _digest, folder, name, views)
        except BrokenProcessPool:
            died = "a signal"
            distrust(folder, died)
            raise Damaged(f"the store in {folder} is damaged: the process that read it was ended by {died}") from None


def _digest(folder: Path, name: str, views: tuple[str, ...]) -> StoreDigest:
    logging.disable()  # what is wrong is said by who asked
    projection = projection_named(name)
    store = live_store(folder, projection)
    try:
        return store_digest(store, projection, views)
    finally:
        store.close()
