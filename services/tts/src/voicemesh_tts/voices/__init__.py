"""Voices: who can speak (`cast`), and who is in memory (`shelf`)."""
