"""Facts in, a decision with its reasons out. The rules themselves are data and run elsewhere."""
