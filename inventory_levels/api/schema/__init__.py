"""The OpenAPI document: what it says beyond what serializers and routes tell by themselves."""

from inventory_levels.api import examples
from inventory_levels.api.schema import shapes
from inventory_levels.api.schema.catalog import locations, products
from inventory_levels.api.schema.levels import levels
from inventory_levels.api.schema.operations import answer, operation
from inventory_levels.api.schema.planning import planning
from inventory_levels.api.schema.types import without_trailing_slash

__all__ = ["index", "levels", "locations", "planning", "products", "without_trailing_slash"]

index = operation(
    "get_index",
    "See what there is",
    "The paths of this API.",
    {200: answer(shapes.IndexSerializer, "The paths.", examples.INDEX)},
    public=True,
)
