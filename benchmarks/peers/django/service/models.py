"""The tables of benchmarks/peers/schema.sql."""

import uuid

from django.db import models


class User(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    email = models.CharField(max_length=320, unique=True)
    password_hash = models.CharField(max_length=100)
    is_active = models.BooleanField(default=True)

    class Meta:
        managed = False
        db_table = "users"

    def __str__(self) -> str:
        return self.email


class Project(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    owner = models.ForeignKey(User, on_delete=models.CASCADE)
    name = models.CharField(max_length=255)
    description = models.TextField(null=True, blank=True)  # noqa: DJ001 - the API tells none from empty
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    version = models.IntegerField(default=1)

    class Meta:
        managed = False
        db_table = "projects"

    def __str__(self) -> str:
        return self.name
