"""Between the SDK's dataclasses and the contract's messages, total in both directions.

Only this package knows the generated messages. A value that a newer server knows and this client
does not becomes the `UNKNOWN` of its kind; an event of a kind this client does not know is None.
"""
