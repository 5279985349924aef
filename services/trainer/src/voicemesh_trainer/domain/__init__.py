"""What the trainer talks about, a noun a module: values only, made of the standard library."""
