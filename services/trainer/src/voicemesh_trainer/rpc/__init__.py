"""The contract: `servicer` answers calls, `convert` and `checks` translate them.

`unserved` has the calls of the contract that a later release serves.
"""
