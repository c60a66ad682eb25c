"""Objects for tests, made the short way: straight into the database."""

import factory
from django.contrib.auth import get_user_model

from inventory_levels.models import InventoryLevel, Location, ProductMaster
from organizations.models import Membership, Organization


class OrganizationFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Organization

    name = factory.Sequence(lambda n: f"Organization {n}")


class UserFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = get_user_model()

    username = factory.Sequence(lambda n: f"user-{n}")
    email = factory.LazyAttribute(lambda user: f"{user.username}@example.com")


class MembershipFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Membership

    user = factory.SubFactory(UserFactory)
    organization = factory.SubFactory(OrganizationFactory)


class _TenantFactory(factory.django.DjangoModelFactory):
    class Meta:
        abstract = True

    @classmethod
    def _get_manager(cls, model_class):
        return model_class._base_manager  # tests make rows for several organizations at once


class ProductFactory(_TenantFactory):
    class Meta:
        model = ProductMaster

    organization = factory.SubFactory(OrganizationFactory)
    global_sku = factory.Sequence(lambda n: f"SKU-{n:05}")  # never Acme's SKU-123
    product_name = factory.LazyAttribute(lambda product: f"Product {product.global_sku}")


class LocationFactory(_TenantFactory):
    class Meta:
        model = Location

    organization = factory.SubFactory(OrganizationFactory)
    name = factory.Sequence(lambda n: f"Location {n}")
    type = "WAREHOUSE"
    parent = None
    path = factory.LazyAttribute(
        lambda location: location.parent.path_below if location.parent else "/"
    )


class LevelFactory(_TenantFactory):
    class Meta:
        model = InventoryLevel

    organization = factory.SubFactory(OrganizationFactory)
    product = factory.SubFactory(
        ProductFactory, organization=factory.SelfAttribute("..organization")
    )
    location = factory.SubFactory(
        LocationFactory, organization=factory.SelfAttribute("..organization")
    )
