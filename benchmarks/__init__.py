"""Measurements of speed, quality and cost, each against the peers that users would take instead.

`make bench-stt` and its siblings run one each, print a table and write `results/<name>.json`;
`make bench` runs all of them and prints what falls short. Nothing here is a test: what a busy
machine can change is measured as a ratio within one run, never as an assertion.
"""
