"""What the trainer needs from outside of itself, a neighbour a module."""
