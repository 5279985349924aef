"""The revisions; each says which one it follows."""
