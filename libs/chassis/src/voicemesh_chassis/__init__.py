"""What every voicemesh service stands on, so that a service holds only its own subject.

- `settings`, `variables`, `refusals`: frozen settings from the environment; a bad one ends the
  start with one sentence.
- `service`: the `Service` that a program hands over, and `StartupError`.
- `app`, `host`, `command_line`, `stop_signals`: a process from start to drain, and exit codes.
- `server`, `interceptors`: the `grpc.aio` server and what stands around each call.
- `monitoring`, `metrics`: HTTP `/metrics`, `/healthz`, `/readyz` and the numbers behind them.
- `logs`, `redaction`, `requests`: structured logs that carry a request id and no words or names.
- `errors`, `status`: one tree of errors, and its form on the wire in both directions.
- `channel`, `deadlines`: the client side. `tls`, `addresses`: for both sides.
- `testing`: a service run in-process on free ports.
"""
