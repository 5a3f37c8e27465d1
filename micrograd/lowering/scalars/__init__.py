"""The recorded graph as columns of numbers, and its chains of + and max."""
