"""Definitions of workflows: read from text, checked, compiled to plans, drawn. No I/O; `clawactors.systems.workflows`
has the types. Plans are run by `clawactors.runtime.node.workflows`.
"""
