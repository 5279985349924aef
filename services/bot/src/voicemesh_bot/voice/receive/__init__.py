"""What a guild's members say, as Opus packets in order, out of what comes on the voice socket.

Nothing is decoded here, and nothing here imports discord or davey.

- `rtp`, `transport`: which datagrams are audio, and Discord's encryption between client and server.
- `speakers`: whose audio it is.
- `unlocking`: the end-to-end encryption, and what waits until it can be undone.
- `reorder`: the order in which packets were sent.
- `session`: what the messages of the voice gateway say about the call.
- `receiver`: all of it, called for each datagram.
- `recovery`: what to do when nothing can be decrypted, or when the connection is lost.
- `counters`: what became of every packet, and why.
"""
