"""The admin's frame: who gets in, for which organization, and the pages about people and keys."""

from organizations.admin import keys, members, people

__all__ = ["keys", "members", "people"]
