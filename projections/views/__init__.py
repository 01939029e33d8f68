"""The views: one file or folder each, with its tables, its fold and the questions that it answers.

A view is registered in the one list, `projections.cluster.VIEWS`; the engine asks nothing else about it.
"""
