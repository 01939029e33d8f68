"""The private parts of nats-py that the connection builds on; a release without them must fail here, clearly."""

import inspect

import pytest
from nats.aio.client import Client
from nats.aio.subscription import Subscription
from nats.aio.transport import TcpTransport

METHODS = [
    ("_process_err", ["self", "err_msg"]),
    ("_process_op_err", ["self", "e"]),
    ("_process_ping", ["self"]),
    ("_process_pong", ["self"]),
    ("_process_info", ["self", "info", "initial_connection"]),
    ("_send_ping", ["self", "future"]),
    ("_connect_to_server", ["self", "s"]),
]


@pytest.mark.parametrize(("name", "parameters"), METHODS)
def test_a_method_that_is_overridden_or_called_has_its_shape(name: str, parameters: list[str]) -> None:
    assert list(inspect.signature(getattr(Client, name)).parameters) == parameters


ATTRIBUTES = [
    "_ps",
    "_sid",
    "_subs",
    "_status",
    "_transport",
    "_server_info",
    "_pending",
    "_pending_data_size",
    "_pongs",
]


@pytest.mark.parametrize("name", ATTRIBUTES)
async def test_an_attribute_that_is_used_exists(name: str) -> None:
    assert hasattr(Client(), name)


async def test_a_subscription_can_be_made_without_its_machinery() -> None:
    subscription = Subscription(Client(), 7, "a", queue="q")
    assert (subscription._id, subscription.subject, subscription.queue) == (7, "a", "q")
    assert subscription._wait_for_msgs_task is None


def test_the_read_loop_asks_the_parser_that_was_put_in() -> None:
    source = inspect.getsource(Client._read_loop)
    assert "await self._ps.parse(b)" in source
    assert "self._ps = " not in inspect.getsource(Client._process_connect_init)


def test_subscriptions_are_told_to_the_server_again_after_a_reconnect() -> None:
    source = inspect.getsource(Client._attempt_reconnect)
    assert "self._subs.items()" in source
    assert source.index("self._subs.items()") < source.index("self._reconnected_cb()")


def test_the_transport_reads_what_it_is_asked_for() -> None:
    assert list(TcpTransport().__dict__) == ["_bare_io_reader", "_io_reader", "_bare_io_writer", "_io_writer"]
    assert list(inspect.signature(TcpTransport.read).parameters) == ["self", "buffer_size"]
    assert list(inspect.signature(TcpTransport.connect).parameters) == ["self", "uri", "buffer_size", "connect_timeout"]
