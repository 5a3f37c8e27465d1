"""The content policy of pages: only what a page itself carries may run or style it."""

from __future__ import annotations

import base64
import hashlib

__all__ = ["digest"]


def digest(text: str) -> str:
    """Return the policy source that lets just this script or style run."""
    code = base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest())
    return f"'sha256-{code.decode()}'"
