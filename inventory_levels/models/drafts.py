"""Imports that wait for somebody's word: the uploaded file, and what was shown of it."""

from __future__ import annotations

import gzip
import secrets
import shutil
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from itertools import count
from tempfile import SpooledTemporaryFile
from typing import Any, BinaryIO, ClassVar, Self, cast

from django.db import models, transaction
from django.db.models import F
from django.utils import timezone

from inventory_levels.models.columns import same_organization
from organizations import public_ids
from organizations.tenancy import TenantForeignKey, TenantManager, TenantModel
from organizations.texts import ExactCharField

# How long a draft waits, and how many of them each person may have waiting.
LIFETIME = timedelta(days=1)
KEPT = 5
IN_MEMORY = 1024 * 1024


def new_token() -> str:
    return secrets.token_urlsafe(24)


class Packed:
    """A part on its way into a draft: bytes are written to it, and compressed pieces come out."""

    def __init__(self) -> None:
        self._file = SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115  # see __exit__
        self._into = gzip.GzipFile(fileobj=self._file, mode="wb", compresslevel=4)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *failure: object) -> None:
        self._into.close()
        self._file.close()

    def write(self, content: bytes) -> None:
        self._into.write(content)

    def copy(self, file: BinaryIO) -> None:
        """Write all of a file, which is at its start before and after."""
        shutil.copyfileobj(file, self._into)
        file.seek(0)

    def pieces(self) -> Iterator[bytes]:
        """All of it; nothing can be written any more."""
        self._into.close()
        self._file.seek(0)
        return iter(lambda: self._file.read(IN_MEMORY), b"")


class ImportDraftManager(TenantManager["ImportDraft"]):
    def waiting(self) -> models.QuerySet[ImportDraft]:
        """Those that have not expired."""
        return self.filter(made_at__gt=timezone.now() - LIFETIME)

    def make_room(self, actor_id: str) -> None:
        """Delete what has expired, and what this person has had waiting for longest."""
        self.filter(made_at__lte=timezone.now() - LIFETIME).delete()
        theirs = self.filter(actor_id=actor_id).exclude(state=ImportDraft.State.BEGUN)
        latest = theirs.order_by("-pk").values_list("pk", flat=True)
        theirs.exclude(pk__in=list(latest[: KEPT - 1])).delete()


class ImportDraft(TenantModel):
    """A file, what it would do, and in the end what it did: of the person who uploaded it.

    It lies in the database because the next request may come to another worker, or machine.
    """

    class State(models.TextChoices):
        SHOWN = "shown"
        BEGUN = "begun"
        DONE = "done"

    token = models.CharField(max_length=64, default=new_token)
    actor_id = ExactCharField(max_length=public_ids.MAX_LENGTH)
    table = models.CharField(max_length=32)
    file_name = models.CharField(max_length=255)
    on_error = models.CharField(max_length=8)
    state = models.CharField(max_length=8, choices=State.choices, default=State.SHOWN)
    times_shown = models.PositiveIntegerField(default=0)
    report = models.JSONField(default=dict)
    made_at = models.DateTimeField(default=timezone.now)
    begun_at = models.DateTimeField(null=True)

    objects: ClassVar[ImportDraftManager] = ImportDraftManager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "id"], name="import_draft_is_one_organizations"
            ),
            models.UniqueConstraint(
                fields=["organization", "token"], name="one_import_draft_per_token"
            ),
        ]

    def __str__(self) -> str:
        return self.file_name

    def begin(self, *, times_shown: int) -> bool:
        """Whether it is the caller who may apply it: what was shown last, and for the first time.

        Of callers at the same moment one gets True.
        """
        now: datetime = timezone.now()
        mine = ImportDraft.objects.filter(
            pk=self.pk, state=self.State.SHOWN, times_shown=times_shown
        ).update(state=self.State.BEGUN, begun_at=now)
        return mine == 1

    def show(self, report: dict[str, Any], **parts: Packed) -> None:
        """Keep what is going to be shown in place of what was."""
        with transaction.atomic():
            self.keep(**parts)
            self.report, self.state, self.begun_at = report, self.State.SHOWN, None
            self.save(update_fields=["report", "state", "begun_at"])
            ImportDraft.objects.filter(pk=self.pk).update(times_shown=F("times_shown") + 1)

    def finish(self, report: dict[str, Any], **parts: Packed) -> None:
        """Keep what became of it; the file has served."""
        with transaction.atomic():
            self.pieces.exclude(part__in=parts).delete()
            self.keep(**parts)
            self.report, self.state = report, self.State.DONE
            self.save(update_fields=["report", "state"])

    def keep(self, **parts: Packed) -> None:
        """Put these parts in place of what they were."""
        self.pieces.filter(part__in=parts).delete()
        for part, packed in parts.items():
            for number, content in enumerate(packed.pieces()):
                ImportDraftPiece.objects.create(
                    organization_id=self.organization_id,
                    draft=self,
                    part=part,
                    number=number,
                    content=content,
                )

    @property
    def pieces(self) -> models.QuerySet[ImportDraftPiece]:
        return ImportDraftPiece.objects.filter(draft=self)

    def read(self, part: str) -> Iterator[bytes]:
        """What was packed, a piece in memory. It may be read after the scope has closed."""
        pieces, unpacked = self.pieces.filter(part=part), zlib.decompressobj(zlib.MAX_WBITS | 16)

        def read() -> Iterator[bytes]:
            for number in count():
                piece = pieces.filter(number=number).values_list("content", flat=True).first()
                if piece is None:
                    yield unpacked.flush()
                    return
                rest = bytes(piece)
                while rest:
                    yield unpacked.decompress(rest, IN_MEMORY)
                    rest = unpacked.unconsumed_tail

        return read()

    @contextmanager
    def opened(self, part: str) -> Iterator[BinaryIO]:
        """The part as a file, at its start."""
        with SpooledTemporaryFile(max_size=IN_MEMORY) as file:
            file.writelines(self.read(part))
            file.seek(0)
            yield cast(BinaryIO, file)


class ImportDraftPiece(TenantModel):
    """Some of what belongs to a draft, compressed; so that no more than that is in memory."""

    draft = TenantForeignKey(
        ImportDraft,
        on_delete=models.CASCADE,
        related_name="+",
        db_constraint=False,
        db_index=False,
    )
    part = models.CharField(max_length=8)
    number = models.PositiveIntegerField()
    content = models.BinaryField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "draft", "part", "number"], name="one_piece_per_number"
            ),
            *same_organization("draft", table="import_draft_piece"),
        ]

    def __str__(self) -> str:
        return f"{self.part} {self.number}"
