"""Measures the trainer: answers, memory and training."""
