"""The arrays of the backward pass, in index notation too."""
