"""From a scalar function to its recorded graph, and what each leaf of the graph is."""
