"""What every voicemesh service stands on, so that a service holds only its own subject.

- `settings`, `variables`, `refusals`: frozen settings from the environment; a bad one ends the
  start with one sentence.
- `service`: the `Service` that a program hands over, and `StartupError`.
- `app`, `host`, `command_line`, `stop_signals`: a process from start to drain, and exit codes.
- `server`, `interceptors`: the `grpc.aio` server and what stands around each call.
- `monitoring`, `metrics`: HTTP `/metrics`, `/healthz`, `/readyz` and the numbers behind them.
- `logs`, `redaction`, `requests`: structured logs that carry a request id and no words or names.
- `last_words`: the sentence with which a failed start ends, in the form of the log.
- `errors`, `status`: one tree of errors, and its form on the wire in both directions.
- `channel`, `deadlines`: the client side. `tls`, `addresses`: for both sides.
- `testing`: a service run in-process on free ports.

Importing it silences the lines that the core of gRPC writes to standard error by itself, past our
logs and not in their format; set GRPC_VERBOSITY to hear them. Calls fail with a status anyway. A
program that imports grpc before this package has made its own choice.
"""

import os as _os

# Read when grpc is imported, which the chassis does only after this.
_os.environ.setdefault("GRPC_VERBOSITY", "NONE")
