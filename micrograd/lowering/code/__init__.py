"""From index notation to array code: statements, their text, modules to run and to export."""
