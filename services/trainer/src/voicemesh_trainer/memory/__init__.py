"""What people taught: found again for each question, and given to the model."""
