"""Products: what is sold."""

from typing import ClassVar

import sqlalchemy as sa
from sqlmodel import Field

from crm_app.core.registry import Section, declare
from crm_app.core.text import name_key, sort_key
from crm_app.models.base import Derived, Record, json_list, live_index, money, searchable, trash_index, typed


class Product(Record, table=True):
    __tablename__ = "product"
    __table_args__ = (
        trash_index("product"),
        live_index("ix_product_name", "sort_key", "id"),
        live_index("ix_product_key", "name_key"),
        live_index("uq_product_sku", "sku", where="deleted_at IS NULL AND sku <> ''", unique=True),
        sa.Index("ix_product_search", "search_text", postgresql_using="gin"),
    )

    derived: ClassVar[Derived] = {"sort_key": lambda r: sort_key(r["name"]), "name_key": lambda r: name_key(r["name"])}

    name: str = Field(max_length=200)
    sku: str = Field(default="", max_length=60)
    family: str = Field(default="", max_length=80)
    price_minor: int = money(default=0, ge=0)
    currency: str = Field(default="USD", max_length=3)
    unit: str = Field(default="", max_length=30)
    is_active: bool = True
    description: str = typed("long_text", default="")
    tags: list[str] = json_list()
    name_key: str = Field(default="", max_length=200)
    sort_key: str = Field(default="", max_length=200)
    search_text: str | None = searchable("name", "sku", "family")


PRODUCT = declare(
    Product,
    label="Product",
    plural="Products",
    title="name",
    icon="box",
    columns=("name", "sku", "family", "price_minor", "is_active"),
    form=(
        Section("Product", ("name", "sku", "family", "unit", "is_active", "tags", "description")),
        Section("Price", ("price_minor", "currency")),
    ),
    search=("name", "sku", "family"),
    import_key="name",
    visibility="all",
    hidden=("name_key",),
    labels={"price_minor": "List price", "sku": "SKU", "is_active": "Active"},
)
