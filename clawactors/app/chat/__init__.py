"""The chat bridge: people ask and answer from a chat. One loop, what people may say, and an adapter for each service.

In: messages of a service, by `port`. Out: what a client of the cluster does for who is on the list; and answers.
Never here: a service's protocol, but in its adapter; rules of who may talk (`clawactors.systems.bridges`).
"""
