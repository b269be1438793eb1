"""Roles that the outside world plays for us, and the values they speak."""
