"""What `engine.py` stands on."""
