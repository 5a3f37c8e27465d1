"""C that compiled programs need, each file where a text calls what it has."""
