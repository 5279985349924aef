"""What the bot keeps: settings of guilds, consents, wishes of people and transcripts.

- `storage`: all of it, opened and closed.
- `database`, `schema`, `migrations`: its tables, on `voicemesh_chassis.database`.
- `guild_table`, `people_table`, `transcript_table`: the ports of `guilds.ports` on them.
"""
