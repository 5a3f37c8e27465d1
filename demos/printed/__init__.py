"""The notes' slips, as rows of three tables: functions, networks, training."""
