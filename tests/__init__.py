"""The tests; matrix products take one thread, since the tests themselves run on every core."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # read when NumPy is imported
