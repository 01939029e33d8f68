"""What every system is made of: the shapes of deciders and kinds, folding, errors, time. Pure: no I/O, no clock.

1. Standard library and msgspec only; times and ids arrive as arguments.
2. Nothing here knows a system: the kernel says what a kind is, `clawactors.systems` says which kinds there are.
"""
