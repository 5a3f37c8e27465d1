from pathlib import Path

import pytest

import micrograd

ROOT = Path(__file__).parent.parent


def pytest_configure():
    """Refuse to test another package of the same name: PyPI has one."""
    if not Path(micrograd.__file__).is_relative_to(ROOT):
        raise pytest.UsageError(
            f"the tests would run against {micrograd.__file__}, not this checkout; "
            f"install it with: pip install -e '{ROOT}[test]'"
        )
