"""Index notation, and irregular graphs, as C that is compiled and run."""
