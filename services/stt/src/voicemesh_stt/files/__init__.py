"""Recordings and files: audio that has an end, to its words.

- `recordings`: one whole recording, from bytes to a transcript.
- `uploads`: files of any length, uploaded in parts, by `work` (one of them), `spool` (its bytes),
  `reading` and `cutting` (its pieces) and `sequence` (its segments in order, pure).
- `ports`: what the work on uploaded files needs of decoders.
"""
