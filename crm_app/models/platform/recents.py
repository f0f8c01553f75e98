"""The records somebody opened last."""

from crm_app.models.base import TenantScoped, json_list, tenant_fk


class RecentRecords(TenantScoped, table=True):
    """One row a person, `id` is theirs. `records` are "<entity>:<id>", the last one first."""

    __tablename__ = "recent_records"
    __table_args__ = (tenant_fk("id", "crm_user"),)

    records: list[str] = json_list()
