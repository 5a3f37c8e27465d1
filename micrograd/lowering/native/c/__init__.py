"""The C: its loops, sums, memory and text, written from index notation or from levels."""
