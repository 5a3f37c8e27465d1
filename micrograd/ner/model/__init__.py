"""The window model: features, parameters, forward pass."""
