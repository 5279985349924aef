"""A service's own database on SQLite or PostgreSQL; needs the extra `database`.

- `settings`: where it is, and its `limits`. `tables`: what a service says of its tables.
- `database`: transactions on them. `connections`: how each kind of database is spoken to.
- `migrating`: brings the tables up to date at the start, by Alembic.
- `errors`, `faults`: what goes wrong with a database, in the errors of services.
- `meters`: what is asked of it, counted.

Importing the package alone loads none of the libraries of the extra.
"""

from voicemesh_chassis.database.errors import DatabaseUnavailableError, StorageFullError

__all__ = ("DatabaseUnavailableError", "StorageFullError")
