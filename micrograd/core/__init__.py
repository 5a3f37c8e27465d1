"""What `engine.py` stands on."""

__all__ = []
