"""Training jobs: their life, their data, and the workers that see them through."""
