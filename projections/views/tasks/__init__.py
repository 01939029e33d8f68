"""The tasks view: rows of tasks, the lists and sums that make questions about them cheap, and their answers."""
