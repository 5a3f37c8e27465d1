"""Graphs that no grid fits: nodes sorted by level and operation."""
