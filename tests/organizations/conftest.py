"""Commands are also run from a shell."""

from tests.organizations.shell import migrated_database, shell

__all__ = ["migrated_database", "shell"]
