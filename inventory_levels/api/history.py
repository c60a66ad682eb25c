"""The JSON shape of the history: who changed what, from what to what."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from inventory_levels.api.fields import IdField, StrictSerializer
from inventory_levels.api.serializers import time
from inventory_levels.models import SETTINGS, LevelChange


class _ActorReference(serializers.Serializer[Any]):
    type = serializers.ChoiceField(choices=["apiKey", "user", "command"])
    id = serializers.CharField()
    name = serializers.CharField()


class ChangeSerializer(StrictSerializer):
    """One entry of a level's history."""

    action = serializers.ChoiceField(choices=LevelChange.Action.choices)
    at = serializers.DateTimeField()
    actor = _ActorReference()
    source = serializers.ChoiceField(  # type: ignore[assignment]  # a field of that name
        choices=LevelChange.Source.choices
    )
    reason = serializers.CharField(allow_null=True)
    version = serializers.IntegerField()
    levelId = IdField()
    productMasterId = IdField()
    locationId = IdField()
    changes = serializers.DictField(
        help_text='Each changed field with its old and new value: `{"old": 5, "new": 7}`.'
    )

    def to_representation(self, change: LevelChange) -> dict[str, Any]:
        return {
            "action": change.action,
            "at": time(change.at),
            "actor": {"type": change.actor_type, "id": change.actor_id, "name": change.actor_name},
            "source": change.source,
            "reason": change.reason,
            "version": change.version,
            "levelId": change.level_public_id,
            "productMasterId": change.product_public_id,
            "locationId": change.location_public_id,
            # The database orders an object's keys by itself.
            "changes": {
                name: {when: change.changes[name][when] for when in ("old", "new")}
                for name in SETTINGS
                if name in change.changes
            },
        }
