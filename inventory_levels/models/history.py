"""Who changed what: the append-only history of levels."""

from django.db import models

from organizations import public_ids
from organizations.tenancy import TenantModel
from organizations.texts import ExactCharField


class LevelChange(TenantModel):
    """One entry of a level's history. Append-only; refers by id to what may be gone."""

    class Action(models.TextChoices):
        CREATE = "CREATE", "Created"
        UPDATE = "UPDATE", "Changed"
        DELETE = "DELETE", "Deleted"

    class Source(models.TextChoices):
        API = "api", "API"
        BULK = "bulk", "Bulk API"
        IMPORT = "import", "Import"
        ADMIN = "admin", "Admin"
        COMMAND = "command", "Command"

    level_public_id = ExactCharField(max_length=public_ids.MAX_LENGTH)
    product_public_id = ExactCharField(max_length=public_ids.MAX_LENGTH)
    location_public_id = ExactCharField(max_length=public_ids.MAX_LENGTH)
    action = models.CharField(max_length=8, choices=Action.choices)
    version = models.PositiveIntegerField()
    changes = models.JSONField(help_text='{"minQuantity": {"old": 5, "new": 7}}')
    actor_type = models.CharField(max_length=16)
    actor_id = ExactCharField(max_length=public_ids.MAX_LENGTH)
    actor_name = models.CharField(max_length=255)
    source = models.CharField(max_length=8, choices=Source.choices)
    reason = models.TextField(null=True)
    at = models.DateTimeField()

    class Meta:
        verbose_name = "change"
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "level_public_id", "version"],
                name="one_change_per_version",
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "at", "id"], name="change_by_time"),
            models.Index(fields=["organization", "actor_id", "at", "id"], name="change_by_actor"),
            models.Index(fields=["organization", "source", "at", "id"], name="change_by_source"),
        ]

    def __str__(self) -> str:
        return f"{self.level_public_id} v{self.version} {self.action}"
