"""Builds the vectors of the configured model in the background, and changes to them once they are complete.

1. A search goes on with the vectors of the model before, or with none, until those of the new one are whole.
2. `serving.json` names the vectors that are served and the settings of their model. It is replaced at once, so after a
   crash either the old ones are served or the new ones.
3. What was built stays in its folder: a process that is killed goes on where it was.
"""

import asyncio
import hashlib
import logging
import shutil
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final

import msgspec

from clawactors.eventlog import Corrupt, Misconfigured
from clawactors.memory.index.embedding import Embedder
from clawactors.memory.index.writer import Change
from clawactors.memory.item import Item
from clawactors.memory.models.errors import ModelError
from clawactors.memory.models.meanings import Meanings
from clawactors.memory.models.parts import MemoryParts, embedder_of
from clawactors.memory.models.serving import ServedModels
from clawactors.memory.models.settings import MemoryConfig
from clawactors.projections.engine import durable
from clawactors.projections.engine.store import Store

__all__ = ["MeaningBuilder", "ServingManifest"]

_MANIFEST: Final = "serving.json"
_TOGETHER: Final = 64
_WAIT_S: Final = (1.0, 2.0, 5.0, 15.0, 60.0)

_log = logging.getLogger(__name__)


class ServingManifest(msgspec.Struct, frozen=True):
    """The model whose vectors are served: its name, its dimensions, and the settings that made it."""

    embedder: str
    dim: int
    config: MemoryConfig


class MeaningBuilder:
    """`open` it, `load` the items, `apply` changes in the thread that wrote them, and `serve`."""

    def __init__(self, folder: Path, parts: MemoryParts, suspend: Callable[[], None] = lambda: None) -> None:
        self._folder, self._parts, self._suspend = folder, parts, suspend
        self.served = ServedModels(None, parts.reranker, parts.retriever)
        self._building: Meanings | None = None
        self._changing = threading.Lock()
        self._grow = asyncio.Event()
        self._trouble = ""

    def open(self) -> None:
        """Opens what is served and what is to be. Raises: `Misconfigured`, `Corrupt`."""
        wanted, manifest = self._parts.embedder, self._manifest()
        kept = {_name(wanted)} if wanted else set()
        if wanted is not None:
            self._building = self._opened(wanted)
            if manifest and manifest.embedder == wanted.name and manifest.dim == wanted.dim:
                self.served.meanings, self._building = self._building, None
            elif manifest and (before := self._before(manifest)):
                self.served.meanings = self._opened(before)
                kept.add(_name(before))
        for path in self._folder.glob("*"):
            if path.name not in (*kept, _MANIFEST):
                shutil.rmtree(path, ignore_errors=True)
        if wanted is None:
            (self._folder / _MANIFEST).unlink(missing_ok=True)

    def _opened(self, embedder: Embedder) -> Meanings:
        folder = self._folder / _name(embedder)
        try:
            return Meanings(folder, embedder, self._parts.vector_store)
        except Corrupt as error:
            _log.warning("the vectors of %s are damaged and are computed again: %s", embedder.name, error)
            shutil.rmtree(folder, ignore_errors=True)
            return Meanings(folder, embedder, self._parts.vector_store)

    def _before(self, manifest: ServingManifest) -> Embedder | None:
        """The model that was served last, if it can still be asked."""
        try:
            embedder = embedder_of(manifest.config)
        except Misconfigured as error:
            _log.warning("the vectors of the model before are not used any more: %s", error)
            return None
        return embedder if embedder and (embedder.name, embedder.dim) == (manifest.embedder, manifest.dim) else None

    def _manifest(self) -> ServingManifest | None:
        try:
            return msgspec.json.decode((self._folder / _MANIFEST).read_bytes(), type=ServingManifest)
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
            return None

    @property
    def _all(self) -> list[Meanings]:
        with self._changing:
            return [each for each in (self.served.meanings, self._building) if each]

    def load(self, items: Callable[[], Iterable[Item]]) -> None:
        """Takes over what belongs to these items."""
        for each in self._all:
            each.load(items())
        self._grow.set()

    def apply(self, changes: list[Change]) -> None:
        """Brings the vectors up to changes that are durable."""
        for each in self._all:
            each.apply(changes)

    def wake(self) -> None:
        """There may be something to build. Call it in the loop."""
        self._grow.set()

    async def serve(self, store: Callable[[], Store]) -> None:
        """Builds what is missing, until cancelled. Where the model fails it waits and tries again."""
        if self._parts.embedder is None:
            return
        failures = 0
        while True:
            await self._grow.wait()
            self._grow.clear()
            try:
                while await asyncio.to_thread(self.grow, store()):
                    failures, self._trouble = 0, ""
                failures, self._trouble = 0, ""
            except ModelError as error:
                self._trouble = str(error)
                if not failures:
                    _log.warning("vectors of the model are missing, memory searches without them: %s", error)
                await asyncio.sleep(_WAIT_S[min(failures, len(_WAIT_S) - 1)])
                failures += 1
                self._grow.set()

    def grow(self, store: Store) -> bool:
        """Builds a few vectors; changes to the new ones once they are whole. Returns True while more are missing.

        Raises: `ModelError`.
        """
        more = False
        for each in self._all:
            self._suspend()
            with store.snapshot() as reading:
                more |= each.grow(reading, _TOGETHER)
        if self._building and not self._building.missing:
            self._change()
        return more

    def _change(self) -> None:
        new, before = self._building, self.served.meanings
        if new is None:
            return
        new.save()
        manifest = ServingManifest(new.embedder.name, new.embedder.dim, self._parts.config)
        durable.replace(self._folder / _MANIFEST, msgspec.json.encode(manifest))
        with self._changing:
            self.served.meanings, self._building = new, None
        if before:  # a search that still reads it needs only what it has in memory
            before.close()
            shutil.rmtree(self._folder / _name(before.embedder), ignore_errors=True)

    def row(self) -> dict[str, Any]:
        """Names, progress and troubles, for people."""
        if self._parts.embedder is None and self._parts.reranker is None and not self._parts.endpoints:
            return {}
        served, building = self.served.meanings, self._building
        waiting = building or served
        troubles = [self._trouble, self.served.trouble, *(each.trouble for each in self._parts.endpoints)]
        return {
            "embedder": self._parts.embedder.name if self._parts.embedder else "hashed",
            "served": served.embedder.name if served else "hashed",
            "missing": waiting.missing if waiting else 0,
            "trouble": next(filter(None, troubles), ""),
        }

    def close(self) -> None:
        """Saves and closes everything."""
        for each in self._all:
            each.close()
        for endpoint in self._parts.endpoints:
            endpoint.close()


def _name(embedder: Embedder) -> str:
    return hashlib.blake2b(f"{embedder.name}\0{embedder.dim}".encode(), digest_size=8).hexdigest()
