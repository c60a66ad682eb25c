#!/usr/bin/env python
"""The door to every management command."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "inventory_project.settings")
    # Commands take the time that they need.
    os.environ.pop("STATEMENT_TIMEOUT", None)
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
