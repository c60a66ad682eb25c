"""What lists have that go into files and come out of them."""

from inventory_levels.admin.exporting import ExportsFiles
from inventory_levels.admin.importing import ImportsFiles


class Files(ImportsFiles, ExportsFiles):
    """The part of a ModelAdmin that imports and exports."""
