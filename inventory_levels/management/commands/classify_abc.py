"""Gives levels their ABC classes by value of use."""

from __future__ import annotations

import json
from contextlib import closing
from functools import partial

from django.core.management.base import CommandError, CommandParser

from inventory_levels.abc_classes import classify_levels
from inventory_levels.management.progress import Bar
from inventory_levels.models import LevelChange
from inventory_levels.refusals import Refusal, counted
from organizations.actors import Actor
from organizations.commands import OrganizationCommand
from organizations.models import Organization


class Command(OrganizationCommand):
    help = "Classifies levels by forecast a day × unit cost; those without either keep their class."
    writes = True
    refusals = (Refusal,)

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--per-location",
            action="store_true",
            help="Rank each location by itself, not the whole organization.",
        )
        parser.add_argument("--json", action="store_true", help="Print the counts as JSON.")

    def run(
        self, *, organization: Organization, per_location: bool, dry_run: bool, **options: bool
    ) -> None:
        with closing(Bar()) as bar:
            classified = classify_levels(
                actor=Actor.of_command("classify_abc"),
                source=LevelChange.Source.COMMAND,
                per_location=per_location,
                dry_run=dry_run,
                on_progress=partial(bar.show, "Writing"),
            )
        if options["json"]:
            self.stdout.write(json.dumps(classified.told(dry_run=dry_run)))
        else:
            a, b, c = (classified.classes[name] for name in "ABC")
            self.stdout.write(
                f"A {a:,}, B {b:,}, C {c:,}; {classified.unknown:,} without cost or forecast "
                f"keep their class. {'Dry run: would change' if dry_run else 'Changed'} "
                f"{counted(classified.changed, 'level')}."
            )
        if classified.moved_on:
            levels = counted(classified.moved_on, "level")
            raise CommandError(f"{levels} kept changing meanwhile; run it again.")
