"""Writes the recommended minimum, reorder point and maximum of many levels."""

from __future__ import annotations

import json
from contextlib import closing
from functools import partial

from django.core.management.base import CommandError, CommandParser

from inventory_levels.conditions import matching
from inventory_levels.management.changes import SHOWN
from inventory_levels.management.options import add_where
from inventory_levels.management.progress import Bar
from inventory_levels.models import InventoryLevel, LevelChange
from inventory_levels.refusals import Refusal, counted
from inventory_levels.replenishment import apply_recommendations
from organizations.actors import Actor
from organizations.commands import OrganizationCommand
from organizations.models import Organization


class Command(OrganizationCommand):
    help = (
        "Writes the recommended quantities of the levels that match, in one transaction, whatever "
        "their status. Levels that lack data stay as they are; so do those whose result has more "
        "than 11 digits, which are named, and make the command exit with 1."
    )
    writes = True
    refusals = (Refusal,)

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        add_where(parser)
        parser.add_argument("--json", action="store_true", help="Print the counts as JSON.")

    def run(
        self, *, organization: Organization, where: list[str], dry_run: bool, **options: bool
    ) -> None:
        with closing(Bar()) as bar:
            applied = apply_recommendations(
                InventoryLevel.objects.filter(matching(where)),
                actor=Actor.of_command("apply_recommendations"),
                source=LevelChange.Source.COMMAND,
                dry_run=dry_run,
                on_progress=partial(bar.show, "Writing"),
            )
        if options["json"]:
            self.stdout.write(json.dumps(applied.told(dry_run=dry_run)))
        else:
            self.stdout.write(
                f"{'Dry run: would update' if dry_run else 'Updated'} "
                f"{counted(applied.updated, 'level')}; "
                f"{applied.unchanged:,} already as recommended, "
                f"{applied.insufficient_data:,} left alone for want of data."
            )
        for failure in applied.failed[:SHOWN]:
            self.say(f"{failure.level_id}: {failure.refusal.sentence}")
        if applied.failed:
            raise CommandError(f"{counted(len(applied.failed), 'level')} could not be updated.")
