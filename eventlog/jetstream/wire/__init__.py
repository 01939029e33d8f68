"""One connection to a nats-server, and what speaks over it: parser, frames, replies, requests, the JetStream API."""
