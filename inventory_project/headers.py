"""The headers of an answer."""

from __future__ import annotations

from typing import Any

from django.http import response
from django.http.response import ResponseHeaders


class Headers(ResponseHeaders):
    """Django's, in fewer steps for names and values that are printable ASCII."""

    def __setitem__(self, name: Any, value: Any) -> None:
        text = name + value if type(name) is type(value) is str else "\n"
        if text.isascii() and text.isprintable():
            self._store[name.lower()] = (name, value)
        else:
            super().__setitem__(name, value)

    def setdefault(self, name: str, value: Any) -> None:
        if name.lower() not in self._store:
            self[name] = value

    def fill(self, others: Headers) -> None:
        """Have those, too, that aren't set."""
        self._store = {**others._store, **self._store}

    def __contains__(self, name: Any) -> bool:
        return name.lower() in self._store

    def get(self, name: str, default: Any = None) -> Any:
        return self._store.get(name.lower(), (name, default))[1]

    def items(self) -> Any:
        return self._store.values()


response.ResponseHeaders = Headers  # type: ignore[misc]  # there is no setting for it
