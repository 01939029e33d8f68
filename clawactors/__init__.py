"""ClawActors: durable tasks and memory for AI agents, as one event log on NATS JetStream.

The names below are imported when they are first used, so that importing a decider starts nothing.
"""
