"""A worker by hand, which says what its first argument asks for: nonsense, or nothing."""

import json
import os
import sys
import time
from typing import Any


def say(**message: Any) -> None:
    print(json.dumps(message), flush=True)


def main(how: str) -> None:
    hello = json.loads(sys.stdin.readline())
    print("noise on standard error", file=sys.stderr, flush=True)
    if how == "silent":
        time.sleep(60)
    if how == "ends":
        sys.exit(3)
    if how == "noisy":
        print("Welcome to library 1.0\n[1, 2]\n{\n{}\n\n   \nnull", flush=True)
        say(op="sing")
        say(op="call", attempt="t/1", id=1, method="sleep")
        os.write(1, b"\xff\xfe\n" + b"[" * 100_000 + b"\n" + b"x" * 3_000_000 + b"\n")
        say(op="hello", protocol="one", skills=[])
    protocol = 99 if how == "future" else hello["protocols"][0]
    skills: list[dict[str, Any]] = [{"name": "odd", "retry": {"max_retries": 0}}]
    if how == "misdeclared":
        skills = [{"name": "has spaces"}]
    say(op="hello", protocol=protocol, skills=skills, silence_s=0.3 if how == "hangs" else 0, unheard="of")
    for line in sys.stdin:
        message = json.loads(line)
        if message["op"] == "ping" and how != "hangs":
            say(op="pong", id=message["id"])
        if message["op"] == "run":
            serve(message["attempt"], message["params"].get("how", ""))


def serve(attempt: str, how: str) -> None:
    if how == "nonsense":
        say(op="done", attempt=attempt, id=7, value=1)
        say(op="failed", attempt=attempt, id=7, error={})
        say(op="answer", attempt=attempt, id=7)
        say(op="result", attempt="nobody's", value=1)
        say(op="progress", attempt=attempt, done="much")
        say(op="progress", attempt=attempt, done=5)
        say(op="log", attempt=attempt, text="a line", level="nonsense")
        say(op="call", attempt=attempt, id=1, method="signal", args=["go"])
        say(op="call", attempt=attempt, id=1, method="signal", args=["go"])
        for number, (method, args) in enumerate(
            (
                *(("", []), ("__class__", []), ("sleep", []), ("sleep", ["soon"]), ("sleep", [1, 2, 3])),
                *(("step", []), ("step", [7]), ("step", ["\0"]), ("step", ["x" * 300]), ("save_file", ["../x", "/x"])),
                *(("file", ["none"]), ("store", ["no base64!"]), ("run", []), ("run", ["echo", "text"])),
                *(("gather", [7]), ("child_result", ["nobody"]), ("continue_as", []), ("secret", ["any"])),
                ("answer", []),
            ),
            2,
        ):
            say(op="call", attempt=attempt, id=number, method=method, args=args)
            while (reply := json.loads(sys.stdin.readline()))["op"] != "reply" or reply["id"] != number:
                pass
            if "error" not in reply:
                say(op="result", attempt=attempt, value=f"{method} {args} was taken")
                return
    if how == "unterminated":
        os.write(1, b'Loading {"op" 50 %')
        say(op="result", attempt=attempt, value="heard")
        return
    if how == "two-ends":
        say(op="result", attempt=attempt, value="first")
        say(op="result", attempt=attempt, value="second")
        say(op="error", attempt=attempt, error={"message": "third"})
        return
    say(op="result", attempt=attempt, value="survived")


main(sys.argv[1])
