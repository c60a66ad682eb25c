"""Who does something: a name for the history that outlives the key or the account."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser

    from organizations.models import ApiKey


@dataclass(frozen=True, slots=True)
class Actor:
    type: Literal["apiKey", "user", "command"]
    id: str
    name: str

    @classmethod
    def of_key(cls, key: ApiKey) -> Actor:
        return cls("apiKey", key.public_id, key.name)

    @classmethod
    def of_user(cls, user: AbstractBaseUser) -> Actor:
        return cls("user", str(user.pk), user.get_username())

    @classmethod
    def of_command(cls, command: str) -> Actor:
        return cls("command", command, command)
