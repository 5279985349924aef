"""The part of DAVE, Discord's end-to-end encryption of calls, that Discord's own servers play.

A server holds no secret of a group. It is MLS's delivery service: it signs proposals to add and
remove members, picks the commit that wins, and says when all switch to the new keys. Everything
here is pure: messages in, messages out.

* `wire`: MLS's presentation language
* `opcodes`: the numbers of the messages
* `messages`: the MLS messages that a server makes or has to look into
* `sender`: the key that signs proposals
* `group`: which commit is accepted, and who is a member then
* `transitions`: who still has to get ready before all switch
* `delivery`: all of it for one call

Sources: RFC 9420 (MLS), the DAVE protocol whitepaper 1.1.4, and Discord's documentation of the
voice gateway's opcodes 21 to 31.
"""

from discordsim.dave.delivery import DeliveryService, Envelope

__all__ = ("DeliveryService", "Envelope")
