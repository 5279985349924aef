"""Simulated people: what they write, click, say and hear."""
