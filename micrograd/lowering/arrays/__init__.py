"""From a recorded graph to arrays of nodes in index notation."""
