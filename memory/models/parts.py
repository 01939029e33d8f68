"""The parts of memory by name: each port has built-in parts, and takes a `module:function` of your own."""

from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from clawactors.eventlog import Misconfigured
from clawactors.memory.consolidation.proposal import FactProposer, Summarizer
from clawactors.memory.index.embedding import Embedder
from clawactors.memory.index.vector_index import DEFAULT_STORE, ExactStore, VectorStore
from clawactors.memory.ingest.chunking import Chunker, chunks
from clawactors.memory.models.chat import ChatProposer, ChatSummarizer
from clawactors.memory.models.endpoint import ModelEndpoint
from clawactors.memory.models.milvus import MilvusStore
from clawactors.memory.models.minilm import MiniLm
from clawactors.memory.models.remote import RemoteEmbedder, RemoteReranker
from clawactors.memory.models.serving import Reranker, Retriever
from clawactors.memory.models.settings import MemoryConfig, PartSettings, imported

__all__ = ["DEFAULT_PARTS", "MemoryParts", "embedder_of", "parts_of"]

_HASHED: Final = ("", "hashed")


class MemoryParts(msgspec.Struct, frozen=True, kw_only=True):
    """What the settings name; None where the default needs no model."""

    config: MemoryConfig = MemoryConfig()
    chunker: Chunker = chunks
    embedder: Embedder | None = None
    vector_store: VectorStore = DEFAULT_STORE
    retriever: Retriever | None = None
    reranker: Reranker | None = None
    proposer: FactProposer | None = None
    summarizer: Summarizer | None = None
    endpoints: tuple[ModelEndpoint, ...] = ()


DEFAULT_PARTS: Final = MemoryParts()


class _Maker:
    """Makes the parts of one configuration. Endpoints are made once, and only those that a part uses."""

    def __init__(self, config: MemoryConfig) -> None:
        self._config = config
        self.endpoints: dict[str, ModelEndpoint] = {}

    def made(self, port: str, built_in: Mapping[str, Callable[[PartSettings], Any]]) -> Any:
        settings: PartSettings = getattr(self._config, port)
        if known := built_in.get(settings.use):
            return known(settings)
        if ":" not in settings.use:
            names = ", ".join(sorted(filter(None, built_in)))
            raise Misconfigured(f"{port}.use is {settings.use!r}: it is one of {names}, or module:function")
        make = imported(f"{port}.use", settings.use)
        try:
            return make(settings)
        except Misconfigured:
            raise
        except Exception as error:  # whatever code of users raises
            raise Misconfigured(
                f"{port}.use is {settings.use!r}, which fails: {type(error).__name__}: {error}"
            ) from None

    def endpoint(self, port: str, settings: PartSettings) -> ModelEndpoint:
        given = self._config.endpoints.get(settings.endpoint)
        if given is None or not settings.model:
            known = ", ".join(sorted(self._config.endpoints)) or "none"
            raise Misconfigured(f"{port} needs `model` and `endpoint`, one of those in [endpoints]: {known}")
        if settings.endpoint not in self.endpoints:
            self.endpoints[settings.endpoint] = ModelEndpoint(settings.endpoint, given)
        return self.endpoints[settings.endpoint]

    def embedder(self) -> Embedder | None:
        def remote(settings: PartSettings) -> Embedder:
            if not settings.dimensions:
                raise Misconfigured("embed needs `dimensions`: how many numbers the model's vectors have")
            return RemoteEmbedder(self.endpoint("embed", settings), settings.model, settings.dimensions)

        made: Embedder | None = self.made(
            "embed",
            {**dict.fromkeys(_HASHED, _none), "minilm": lambda settings: MiniLm(settings.path), "endpoint": remote},
        )
        return made


def parts_of(config: MemoryConfig) -> MemoryParts:
    """The parts that the settings name. Loads models. Raises: `Misconfigured`."""
    maker = _Maker(config)
    embedder = maker.embedder()
    store = maker.made(
        "store",
        {
            **dict.fromkeys(("", "hnswlib"), lambda _: DEFAULT_STORE),
            "exact": lambda _: ExactStore(),
            "milvus": lambda _: MilvusStore(),
        },
    )
    reranker = maker.made(
        "rerank",
        {
            "": _none,
            "endpoint": lambda settings: RemoteReranker(maker.endpoint("rerank", settings), settings.model),
        },
    )
    proposer = maker.made(
        "extract",
        {
            **dict.fromkeys(("", "rules"), _none),
            "endpoint": lambda settings: ChatProposer(maker.endpoint("extract", settings), settings.model),
        },
    )
    summarizer = maker.made(
        "summarize",
        {
            **dict.fromkeys(("", "sentences"), _none),
            "endpoint": lambda settings: ChatSummarizer(maker.endpoint("summarize", settings), settings.model),
        },
    )
    return MemoryParts(
        config=config,
        chunker=maker.made("chunk", dict.fromkeys(("", "sentences"), lambda _: chunks)),
        embedder=embedder,
        vector_store=store,
        retriever=maker.made("retrieve", dict.fromkeys(("", "fused"), _none)),
        reranker=reranker,
        proposer=proposer,
        summarizer=summarizer,
        endpoints=tuple(maker.endpoints.values()),
    )


def embedder_of(config: MemoryConfig) -> Embedder | None:
    """The embedder that the settings name. Raises: `Misconfigured`."""
    return _Maker(config).embedder()


def _none(_settings: PartSettings) -> None:
    return None
