"""Reads what people plainly state about themselves and others, in English and Chinese, by patterns. Pure.

In: a text and who speaks. Out: statements (`Stated`). `framing` drops what is not said in earnest, `english` and
`chinese` read clauses. What no pattern knows stays text.
"""
