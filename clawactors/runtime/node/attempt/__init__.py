"""One attempt of one task: a state machine whose phases are `assigned`, `running`, `stopping` and `ended`.

In: the `Assignment`, commits that others append to the task, and `stop` from the node.
Out: what the code does, recorded in the task's log by the `AttemptJournal` under the fence of the attempt.
"""
