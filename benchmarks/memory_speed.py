"""How fast and how large memory is: `python -m benchmarks.memory_speed [ITEMS]`, 100,000 by default."""

import os
import sys

__all__ = ["main"]


def main() -> None:
    # One thread: what a search costs, not what a free machine can hide.
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    from clawactors.memory.measure import measure

    speed = measure(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
    for name in speed.__struct_fields__:
        value = getattr(speed, name)
        print(f"{name:24}{value:14,.3f}" if isinstance(value, float) else f"{name:24}{value!s:>14}")


if __name__ == "__main__":
    main()
