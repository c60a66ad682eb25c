"""Gives one location the levels of another, as for a new store that is like an old one."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db.models import OuterRef, Subquery

from inventory_levels.decisions import LOCATION_SETTINGS
from inventory_levels.files.columns import LEVELS
from inventory_levels.imports import FileRow
from inventory_levels.management.changes import LevelChanges, on_one_line
from inventory_levels.management.locations import locations
from inventory_levels.management.options import add_json
from inventory_levels.models import SETTINGS, InventoryLevel, Location
from inventory_levels.refusals import Refusal, counted
from inventory_levels.walk import all_in_order
from organizations.commands import OrganizationCommand
from organizations.models import Organization

PLAIN = [attribute for attribute in SETTINGS.values() if attribute not in LOCATION_SETTINGS]
COLUMNS = (
    *("pk", *LEVELS.order, "product__public_id", "product__global_sku", *PLAIN),
    *(f"{name}__{column}" for name in LOCATION_SETTINGS for column in ("public_id", "path")),
    *(f"own_{name}" for name in LOCATION_SETTINGS),
)


class Command(OrganizationCommand):
    help = (
        "Copies all levels of one location to another, or none of them. A preferred bin outside "
        "the other location and a source equal to it are left out, and listed."
    )
    writes = True
    refusals = (Refusal,)

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--from", required=True, dest="source", metavar="LOC")
        parser.add_argument("--to", required=True, dest="target", metavar="LOC")
        parser.add_argument(
            "--overwrite",
            action="store_true",
            help="Also makes the levels that are there like those copied; else they stay.",
        )
        add_json(parser)

    def run(
        self,
        *,
        organization: Organization,
        source: str,
        target: str,
        overwrite: bool,
        as_json: bool,
        dry_run: bool,
    ) -> None:
        (there,), (here,) = locations("--from", [source]), locations("--to", [target])
        copy = _Copy(self, there, here, overwrite=overwrite)
        changes = LevelChanges(self, "copy_levels", as_json=as_json, reason=f"copied from {source}")
        counts = changes.write(copy.rows(), on_error="abort", dry_run=dry_run)
        summary = {"created": counts.created, "updated": counts.updated}
        summary |= {"unchanged": counts.unchanged, "failed": counts.failed, "kept": copy.kept}
        if as_json:
            left_out = {name: copy.left_out[name] for name in ("bins", "sources")}
            told = {**summary, "leftOut": left_out, "dryRun": dry_run}
            self.stdout.write(json.dumps({**told, "refused": changes.refused()}))
        elif not counts.failed:
            self.stdout.write(
                f"{'Dry run: would copy' if dry_run else 'Copied'} "
                f"{counted(counts.created + counts.updated, 'level')} from {source} to {target}: "
                f"{counts.created:,} created, {counts.updated:,} updated; {counts.unchanged:,} "
                f"alike already, {copy.kept:,} kept as they were."
            )
        if counts.failed:
            refused = f"{counted(counts.failed, 'level')} could not be copied"
            raise CommandError(f"{refused}; nothing was written.")


class _Copy:
    def __init__(
        self, command: OrganizationCommand, source: Location, target: Location, *, overwrite: bool
    ) -> None:
        if source == target:
            raise CommandError("--from and --to are the same location.")
        self.command, self.source, self.target = command, source, target
        self.overwrite = overwrite
        self.kept = 0
        self.left_out: Counter[str] = Counter()

    def rows(self) -> Iterator[FileRow]:
        levels = InventoryLevel.objects.filter(location=self.source)
        there = InventoryLevel.objects.filter(location=self.target)
        if not self.overwrite:
            products = there.values("product_id")
            self.kept = levels.filter(product__in=products).count()
            levels = levels.exclude(product__in=products)
        own = there.filter(product=OuterRef("product"))
        for name in LOCATION_SETTINGS:
            place = Subquery(own.values(f"{name}__public_id"))
            levels = levels.annotate(**{f"own_{name}": place})
        for level in all_in_order(levels, LEVELS.order, COLUMNS):
            yield FileRow(
                level.pk,
                {name: getattr(level, name) for name in PLAIN} | self._places(level),
                product=level.product__public_id,
                location=self.target.public_id,
                # Where others stay as they are, one that somebody has just made does too.
                version=None if self.overwrite else 0,
            )

    def _places(self, level: Any) -> dict[str, str | None]:
        """The preferred bin and the source, as far as they fit the other location."""
        places = {name: getattr(level, f"{name}__public_id") for name in LOCATION_SETTINGS}
        bin_, source = LOCATION_SETTINGS
        path = level.preferred_bin_location__path
        if path is not None and not path.startswith(self.target.path_below):
            why = f"preferred bin {places.pop(bin_)} is outside the location"
            self._leave_out("bins", level, why, getattr(level, f"own_{bin_}"))
        if places[source] == self.target.public_id:
            why = f"source {places.pop(source)} is the location itself"
            self._leave_out("sources", level, why, getattr(level, f"own_{source}"))
        return places

    def _leave_out(self, what: str, level: Any, why: str, own: str | None) -> None:
        self.left_out[what] += 1
        stays = f"; its own, {own}, stays" if own else ""
        self.command.say(on_one_line(f"{level.product__global_sku}: left out, {why}{stays}"))
