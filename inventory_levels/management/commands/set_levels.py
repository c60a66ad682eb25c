"""Changes many levels at once: settings that become the same, quantities times a factor."""

from __future__ import annotations

import json
from collections.abc import Iterator

from django.core.management.base import CommandError, CommandParser

from inventory_levels.adjustments import Adjustment
from inventory_levels.conditions import matching
from inventory_levels.files.columns import LEVELS
from inventory_levels.imports import FileRow
from inventory_levels.management.changes import LevelChanges
from inventory_levels.management.options import add_json, add_where
from inventory_levels.models import InventoryLevel
from inventory_levels.refusals import Refusal, counted
from inventory_levels.staged_plan import QUANTITIES
from inventory_levels.walk import all_in_order
from organizations.commands import OrganizationCommand
from organizations.models import Organization

COLUMNS = (
    *("pk", *LEVELS.order, "version", "product__public_id", "location__public_id"),
    *QUANTITIES,
)


class Command(OrganizationCommand):
    help = (
        "Changes all levels that match, or none of them where one would break a rule. "
        "Example: --where locationId=loc_123 --where abcClass=A --scale maxQuantity=1.1"
    )
    writes = True
    refusals = (Refusal,)

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        add_where(parser)
        parser.add_argument(
            "--set",
            action="append",
            default=[],
            dest="sets",
            metavar="FIELD=VALUE",
            help="null clears the field; may be repeated.",
        )
        parser.add_argument(
            "--scale",
            action="append",
            default=[],
            metavar="FIELD=FACTOR",
            help="Multiplies a quantity, rounded half up to 4 decimals; may be repeated.",
        )
        parser.add_argument(
            "--round", choices=["whole"], dest="round_to", help="Rounds to whole units instead."
        )
        add_json(parser)

    def run(
        self,
        *,
        organization: Organization,
        where: list[str],
        sets: list[str],
        scale: list[str],
        round_to: str | None,
        as_json: bool,
        dry_run: bool,
    ) -> None:
        adjustment = Adjustment.of(sets, scale, whole=round_to == "whole")
        matched = rounded = 0

        def rows() -> Iterator[FileRow]:
            nonlocal matched, rounded
            levels = InventoryLevel.objects.filter(matching(where))
            for level in all_in_order(levels, LEVELS.order, COLUMNS):
                adjusted = adjustment.of_level(level._asdict())
                matched += 1
                rounded += adjusted.is_rounded
                yield FileRow(
                    level.pk,
                    adjusted.settings,
                    product=level.product__public_id,
                    location=level.location__public_id,
                    version=level.version,
                    problems=adjusted.problems,
                )

        reason = ", ".join([*sets, *(text.replace("=", " × ") for text in scale)])
        changes = LevelChanges(self, "set_levels", as_json=as_json, reason=reason)
        counts = changes.write(rows(), on_error="abort", dry_run=dry_run)
        if as_json:
            summary = {"matched": matched, "updated": counts.updated}
            summary |= {"unchanged": counts.unchanged, "failed": counts.failed}
            summary |= {"rounded": rounded, "dryRun": dry_run}
            self.stdout.write(json.dumps({**summary, "refused": changes.refused()}))
        elif not counts.failed:
            done = "Dry run: would update" if dry_run else "Updated"
            so_already = f"{counts.unchanged:,} {'was' if counts.unchanged == 1 else 'were'} so"
            self.stdout.write(
                f"{done} {counted(counts.updated, 'level')} of {matched:,} that match; "
                f"{so_already} already, {rounded:,} rounded."
            )
        if counts.failed:
            rules, moved = counts.failed - changes.changed_meanwhile, changes.changed_meanwhile
            parts = [f"{rules:,} of {counted(matched, 'level')} would break a rule"] * bool(rules)
            parts += [f"{counted(moved, 'level')} changed meanwhile, run it again"] * bool(moved)
            raise CommandError(f"{'; '.join(parts)}; nothing was written.")
