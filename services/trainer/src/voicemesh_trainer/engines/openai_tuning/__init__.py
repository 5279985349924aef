"""Training by a fine-tuning job of OpenAI's API."""
