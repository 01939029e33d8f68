"""Workers: programs in other languages that run the code of skills. JSON lines over their standard input and output.

docs/workers.md has every message. `protocol`: the messages; `offers`: skills as a worker declares them; `lines`: bytes
to messages; `process`: the child, started again when it dies; `serving`: one attempt; `calls`: what its code may call.
"""

from clawactors.runtime.node.workers.process import Worker, Workers

__all__ = ["Worker", "Workers"]
