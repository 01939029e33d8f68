"""`claw bench`: how fast this machine runs the real thing, each figure beside the limit of the parts under it.

In: a name and a size. Out: figures with their conditions. Never here: tuned special paths; it measures what users get.
"""

__all__: list[str] = []
