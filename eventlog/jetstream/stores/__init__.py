"""The stores beside the log: blobs, leases, timers, outputs, dead letters, and the queue of commands."""
