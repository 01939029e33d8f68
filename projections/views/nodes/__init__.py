"""The nodes view: rows of nodes, lists of them by status and skill, and the questions about them."""
