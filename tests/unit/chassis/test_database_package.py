"""A service that only has the settings of a database need not load the libraries behind it."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytestmark = pytest.mark.unit

PROGRAM = """
import sys
import voicemesh_chassis.database
import voicemesh_chassis.database.settings
import voicemesh_chassis.database.limits
import voicemesh_chassis.database.errors
print(sorted({"sqlalchemy", "alembic", "aiosqlite", "asyncpg"} & sys.modules.keys()))
"""


def test_settings_and_errors_load_no_library_of_databases() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True, timeout=60
    )

    assert done.stdout.strip() == "[]"
