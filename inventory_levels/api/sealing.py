"""Texts that clients hand back without having seen into them: what cursors are."""

from __future__ import annotations

import base64
import hashlib
import json
from functools import cache
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from django.conf import settings


def seal(content: Any) -> str:
    """JSON as a text that shows nothing of it; the same content makes the same text."""
    sealed = _cipher(settings.SECRET_KEY).encrypt(json.dumps(content).encode(), None)
    return base64.urlsafe_b64encode(sealed).decode().rstrip("=")


def unseal(text: str) -> Any:
    """The content of a text that ``seal`` made with this secret. Raises ValueError for others."""
    try:
        sealed = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        content = json.loads(_cipher(settings.SECRET_KEY).decrypt(sealed, None))
    except InvalidTag as error:
        raise ValueError("not sealed here") from error
    if seal(content) != text:
        raise ValueError("not as it was sealed")
    return content


@cache
def _cipher(secret: str) -> AESSIV:
    return AESSIV(hashlib.sha512(f"sealed {secret}".encode()).digest())
