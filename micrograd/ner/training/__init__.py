"""Training of window models."""
