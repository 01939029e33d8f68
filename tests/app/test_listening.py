"""What `--listen` may say, and what becomes of it; every refusal says what to write instead."""

import pytest

from clawactors.app import listening
from clawactors.app.listening import Host, Listening, MachineAddresses, choose_listening
from clawactors.eventlog import Misconfigured

ALL = "0.0.0.0"  # noqa: S104 - nobody listens
MACHINE = MachineAddresses(
    "box",
    (
        ("wlan0", "192.168.1.7"),
        ("lo", "127.0.0.1"),
        ("lo", "::1"),
        ("wlan0", "fe80::7"),
        ("wlan0", "2001:db8::7"),
        ("docker0", "172.17.0.1"),
        ("tailscale0", "100.101.1.2"),
    ),
)
OFFLINE = MachineAddresses("box", (("lo", "127.0.0.1"), ("docker0", "172.17.0.1")))
KNOWN = {
    "localhost": ("::1", "127.0.0.1"),
    "box.lan": ("192.168.1.7",),
    "box": ("127.0.1.1",),
    "vm.example.com": ("203.0.113.9",),
    "xn--bx-fka.lan": ("2001:db8::7", "192.168.1.7"),
}


def chosen(text: str, machine: MachineAddresses = MACHINE, tailscale: str = "no such program") -> Listening:
    return choose_listening(text, machine, lambda name: KNOWN.get(name, ()), lambda: tailscale)


@pytest.mark.parametrize(
    ("text", "listen", "urls"),
    [
        ("192.168.1.7", "192.168.1.7:5", ["tls://192.168.1.7:5"]),
        ("192.168.1.7:4222", "192.168.1.7:4222", ["tls://192.168.1.7:4222"]),
        ("2001:DB8::7", "[2001:db8::7]:5", ["tls://[2001:db8::7]:5"]),
        ("[2001:db8::7]:4222", "[2001:db8::7]:4222", ["tls://[2001:db8::7]:4222"]),
        ("[::1]", "[::1]:5", ["tls://[::1]:5"]),
        ("127.0.0.1:4222", "127.0.0.1:4222", ["tls://127.0.0.1:4222"]),
        ("localhost", "127.0.0.1:5", ["tls://localhost:5", "tls://127.0.0.1:5"]),
        ("box.lan:4222", "192.168.1.7:4222", ["tls://box.lan:4222", "tls://192.168.1.7:4222"]),
        ("BÖX.lan", "192.168.1.7:5", ["tls://xn--bx-fka.lan:5", "tls://192.168.1.7:5"]),
        ("0.0.0.0:4222", "0.0.0.0:4222", ["tls://192.168.1.7:4222", "tls://100.101.1.2:4222"]),
        ("[::]", "[::]:5", ["tls://192.168.1.7:5", "tls://100.101.1.2:5", "tls://[2001:db8::7]:5"]),
        ("0.0.0.0,vm.example.com", "0.0.0.0:5", ["tls://vm.example.com:5"]),
        (
            "0.0.0.0:4222, vm.example.com:14222,box.lan",
            "0.0.0.0:4222",
            ["tls://vm.example.com:14222", "tls://box.lan:4222"],
        ),
        ("tailscale:4222", "100.101.1.2:4222", ["tls://100.101.1.2:4222"]),
    ],
)
def test_places(text: str, listen: str, urls: list[str]) -> None:
    place = chosen(text)
    assert place.listen(place.port or 5) == listen
    assert list(place.urls(place.port or 5)) == urls


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "write HOST, HOST:PORT"),
        (":4222", "write HOST, HOST:PORT"),
        ("4222", "write HOST, HOST:PORT"),
        ("box.lan:", "write HOST, HOST:PORT"),
        ("box.lan:0", "write HOST, HOST:PORT"),
        ("box.lan:65536", "write HOST, HOST:PORT"),
        ("box.lan:٣", "write HOST, HOST:PORT"),
        ("box.lan:nats", "write HOST, HOST:PORT"),
        ("[box]:4222", "write HOST, HOST:PORT"),
        ("tls://box.lan:4222", "write HOST, HOST:PORT"),
        ("me@box.lan", "write HOST, HOST:PORT"),
        ("0.0.0.0,", "write HOST, HOST:PORT"),
        ("a..b", "write HOST, HOST:PORT"),
        ("10.0.0.9", "choose 192.168.1.7 (wlan0), 100.101.1.2 (tailscale0), 2001:db8::7 (wlan0), or 0.0.0.0 for all"),
        ("10.0.0.9", "write 0.0.0.0,10.0.0.9"),
        ("vm.example.com:4222", "write 0.0.0.0,vm.example.com"),
        ("box", "write 0.0.0.0,box"),
        ("nobody.lan", "nobody knows this name here: choose 192.168.1.7"),
        ("fe80::7%wlan0", "can't name a link-local address: choose 192.168.1.7"),
    ],
)
def test_what_can_not_be_listened_on_is_told(text: str, words: str) -> None:
    with pytest.raises(Misconfigured) as raised:
        chosen(text)
    assert str(raised.value).startswith("--listen")
    assert words in str(raised.value)


def test_tailscale_says_its_address_or_an_interface_has_it() -> None:
    two = MachineAddresses("box", (("wwan0", "100.64.0.9"), ("utun4", "100.101.1.2"), ("eth0", "100.101.1.3")))
    assert chosen("tailscale", two).bind == "100.101.1.2"
    assert chosen("tailscale", two, tailscale="100.101.1.3").bind == "100.101.1.3"
    with pytest.raises(Misconfigured, match=r"100\.101\.9\.9 is not an address of this machine"):
        chosen("tailscale", two, tailscale="100.101.9.9")
    with pytest.raises(Misconfigured, match=r"in no tailnet \(Logged out.\): run `tailscale up`, or choose 127.0.0.1"):
        chosen("tailscale", OFFLINE, tailscale="Logged out.")


def test_a_machine_without_a_network_tells_its_name() -> None:
    assert chosen(ALL, OFFLINE).hosts == (Host("box"),)


def test_the_certificate_is_for_all_that_the_machine_is_called() -> None:
    assert set(chosen("192.168.1.7").names(MACHINE)) == {"192.168.1.7", "localhost", "127.0.0.1", "::1"}
    everywhere = chosen("0.0.0.0,vm.example.com").names(MACHINE)
    assert everywhere[0] == "vm.example.com"
    assert {"192.168.1.7", "172.17.0.1", "2001:db8::7", "127.0.0.1"} < set(everywhere)
    assert "fe80::7" not in everywhere
    moved = MachineAddresses("box", (("wlan0", "10.1.1.1"),))
    assert "10.1.1.1" in chosen(ALL).names(moved)


def test_who_reaches_it() -> None:
    assert chosen("127.0.0.1").is_local
    assert not chosen(ALL).is_local
    assert not chosen("192.168.1.7").is_local
    assert [chosen(text).own for text in (ALL, "[::]", "192.168.1.7")] == ["127.0.0.1", "::1", "192.168.1.7"]


def test_this_machine_is_known() -> None:
    here = listening.this_machine()
    assert "127.0.0.1" in [address for _, address in here.addresses]
    assert "127.0.0.1" in listening.resolve("localhost")
    assert listening.resolve("nobody.invalid") == ()
    assert listening.ask_tailscale()
