"""A Santral connector: calls."""
