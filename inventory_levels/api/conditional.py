"""ETags of levels, and what If-Match and If-None-Match ask for (RFC 9110, section 13)."""

from __future__ import annotations

from hashlib import blake2b

from django.http import HttpRequest
from django.utils.http import parse_etags

from inventory_levels.models import InventoryLevel
from inventory_levels.shown import ShownLevel


def etag(level: ShownLevel) -> str:
    """The tag of a level's representation: it changes when an embedded name does."""
    product = (level.product__public_id, level.product__global_sku, level.product__product_name)
    return tag(level, *product, level.location__public_id, level.location__name)


def tag(level: InventoryLevel | ShownLevel, *shown: str) -> str:
    """``"<id>.<version>.<digest of what else is shown>"``."""
    digest = blake2b("\0".join(shown).encode(), digest_size=6).hexdigest()
    return f'"{_state(level)}.{digest}"'


def _state(level: InventoryLevel | ShownLevel) -> str:
    return f"{level.public_id}.{level.version}"


class Precondition:
    """The state that a client's headers expect a level to be in."""

    def __init__(self, request: HttpRequest) -> None:
        headers = request.META
        self.if_match: str | None = headers.get("HTTP_IF_MATCH")
        self.if_none_match: str | None = headers.get("HTTP_IF_NONE_MATCH")

    def holds_for(self, level: InventoryLevel | None) -> bool:
        """For writes: compares id and version only, so that a renamed product is no conflict."""
        if self.if_match is not None and not _names(self.if_match, level, weakly=False):
            return False
        return self.if_none_match is None or not _names(self.if_none_match, level, weakly=True)

    def is_known(self, current: str) -> bool:
        """For reads: whether the client holds exactly the representation of this tag already."""
        if self.if_none_match is None:
            return False
        tags = parse_etags(self.if_none_match)
        return tags == ["*"] or current in [one.removeprefix("W/") for one in tags]


def _names(header: str, level: InventoryLevel | None, *, weakly: bool) -> bool:
    """Whether a header's tags are among them this level's; a weak one counts only ``weakly``."""
    tags = parse_etags(header)
    if level is None or tags == ["*"]:
        return level is not None
    if weakly:
        tags = [one.removeprefix("W/") for one in tags]
    return _state(level) in (tag.strip('"').rpartition(".")[0] for tag in tags)
