"""Forms that may be sent once: reloading the answer to one makes nothing a second time."""

from __future__ import annotations

import secrets

from django.contrib.sessions.models import Session
from django.http import HttpRequest

# Where the session keeps the tokens of forms that are open, and of how many it keeps them.
SESSION_KEY = "open_forms"
MOST = 20


class SentBefore(Exception):
    """The form was sent before, or belongs to another session."""


def opened(request: HttpRequest) -> str:
    """A token for a form that is opened now."""
    token = secrets.token_urlsafe(16)
    request.session[SESSION_KEY] = [*request.session.get(SESSION_KEY, []), token][-MOST:]
    return token


def spend(request: HttpRequest, token: str) -> None:
    """Take the token of a form that is sent, in the transaction of what it writes.

    The session's row stays locked: of two that are sent at the same moment one finds it taken.
    Raises SentBefore.
    """
    rows = Session.objects.select_for_update().filter(session_key=request.session.session_key)
    stored = [row.get_decoded().get(SESSION_KEY, []) for row in rows]
    tokens = stored[0] if stored else []
    if token not in tokens:
        raise SentBefore
    request.session[SESSION_KEY] = [other for other in tokens if other != token]
    request.session.save()
