"""What stands around each call, outermost first.

`access_log` (request id, one line) · `metering` · `errors` (to `google.rpc.Status`) ·
`lifecycle` (starting, draining) · `auth` · `admission`. Each is a guard: an async context manager
around the handler. `chain` is the one `grpc.aio` interceptor that enters them in order.
"""
