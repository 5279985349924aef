"""Where the trainer keeps what must not be lost: a database, and files beside it."""
