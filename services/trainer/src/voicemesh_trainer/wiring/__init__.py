"""Puts the parts of the trainer together, an area a module."""
