"""Brings the tables of a database up to date, one revision after another (Alembic).

`versions` has the revisions, oldest first. After a change of `schema`, write the next one with
`python tools/new_migration.py trainer "what changes"` of the repository; a released one never
changes.
"""
