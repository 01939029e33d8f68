"""A stub of a model server, and an endpoint that asks it."""

from collections.abc import Iterator

import pytest

from clawactors.memory.models.endpoint import ModelEndpoint
from clawactors.memory.models.settings import EndpointSettings
from tests.memory.models.stub import Stub, serving


@pytest.fixture
def stub() -> Iterator[Stub]:
    """A server that behaves until it is told not to."""
    with serving() as made:
        yield made


@pytest.fixture
def waits() -> list[float]:
    """How long the endpoint has waited between attempts, in seconds; it does not really wait."""
    return []


@pytest.fixture
def endpoint(stub: Stub, waits: list[float]) -> Iterator[ModelEndpoint]:
    """Asks the stub, three times at most, and is patient for a third of a second."""
    settings = EndpointSettings(url=stub.url, key_env="KEY", timeout_s=1.0, question_timeout_s=0.3, attempts=3, batch=4)
    made = ModelEndpoint("stub", settings, {"KEY": "secret"}, waits.append)
    yield made
    made.close()
