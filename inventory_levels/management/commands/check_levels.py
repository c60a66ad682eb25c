"""Finds levels that are suspicious or contradict themselves, and mends what can be mended."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from django.core.management.base import CommandError, CommandParser

from inventory_levels.checkup import CHECKS, Check, left_after_mending, suspects
from inventory_levels.files.columns import LEVELS
from inventory_levels.imports import Counts, FileRow
from inventory_levels.management.changes import NAMED, LevelChanges, name_of
from inventory_levels.management.options import add_json
from inventory_levels.models import InventoryLevel
from inventory_levels.refusals import Refusal, counted
from inventory_levels.walk import all_in_order
from organizations.commands import OrganizationCommand
from organizations.models import Organization

COLUMNS = (*NAMED, *LEVELS.order, "version", "product__public_id", "location__public_id")


class Command(OrganizationCommand):
    help = (
        "Finds levels with something missing or contradictory, a line each. --fix sets a missing "
        "forecast period to the 30 days that planning assumes, switches off levels of inactive "
        "products, and clears a preferred bin outside the location."
    )
    writes = True
    refusals = (Refusal,)

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--fix", action="store_true", help="Mends what has one right answer.")
        parser.add_argument(
            "--strict", action="store_true", help="Exits 1 where something is left to mend."
        )
        parser.add_argument(
            "--only",
            action="append",
            choices=[check.slug for check in CHECKS],
            help="Looks for this alone; may be repeated.",
        )
        add_json(parser)

    def run(
        self,
        *,
        organization: Organization,
        only: list[str] | None,
        fix: bool,
        strict: bool,
        as_json: bool,
        dry_run: bool,
    ) -> None:
        checks = [check for check in CHECKS if only is None or check.slug in only]
        found, left = self._find(checks, quiet=as_json, if_fixed=fix)
        changes = LevelChanges(
            self, "check_levels", as_json=as_json, reason="mended by check_levels"
        )
        counts = self._fix(checks, changes, dry_run=dry_run) if fix else Counts()
        if fix and not dry_run:
            _, left = self._find(checks, quiet=True)
        if as_json:
            summary: dict[str, Any] = {
                "levels": InventoryLevel.objects.count(),
                "findings": dict(found),
            }
            summary |= {"fixed": counts.updated, "failed": counts.failed, "left": left}
            summary |= {"dryRun": dry_run, "refused": changes.refused()}
            self.stdout.write(json.dumps(summary))
        else:
            mended = f"{'would fix' if dry_run else 'fixed'} {counted(counts.updated, 'level')}, "
            self.stdout.write(
                f"{counted(sum(found.values()), 'finding')} in "
                f"{counted(InventoryLevel.objects.count(), 'level')}; "
                f"{mended if fix else ''}{left:,} left."
            )
        if counts.failed:
            raise CommandError(f"{counted(counts.failed, 'level')} could not be fixed.")
        if strict and left:
            raise CommandError(f"{counted(left, 'finding')} left.")

    def _find(
        self, checks: Sequence[Check], *, quiet: bool, if_fixed: bool = False
    ) -> tuple[Counter[str], int]:
        """How often each check applies, and how many are left, as if they were fixed or as it is.

        Tells each time unless it is to be quiet.
        """
        found, left = Counter({check.slug: 0 for check in checks}), 0
        for level, applying in _suspects(checks):
            left += len(left_after_mending(applying) if if_fixed else applying)
            for check in applying:
                found[check.slug] += 1
                if not quiet:
                    self.stdout.write(f"{name_of(level)}: {check.label}")
        return found, left

    def _fix(self, checks: Sequence[Check], changes: LevelChanges, *, dry_run: bool) -> Counts:
        curable = [check for check in checks if check.remedy]
        if not curable:
            return Counts()

        def rows() -> Iterator[FileRow]:
            for level, applying in _suspects(curable):
                settings: dict[str, Any] = {}
                for check in applying:
                    settings |= check.remedy
                yield FileRow(
                    level.pk,
                    settings,
                    product=level.product__public_id,
                    location=level.location__public_id,
                    version=level.version,
                )

        return changes.write(rows(), on_error="skip", dry_run=dry_run)


def _suspects(checks: Sequence[Check]) -> Iterator[tuple[Any, list[Check]]]:
    columns = (*COLUMNS, *(check.flag for check in checks))
    for level in all_in_order(suspects(*checks), LEVELS.order, columns):
        yield level, [check for check in checks if getattr(level, check.flag)]
