"""The event log in a stream: appends in batches, the verdict on what was refused, reading and following."""
