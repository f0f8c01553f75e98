"""Reflex's settings; the installation's own are in crm_app/settings.py."""

import reflex as rx
from reflex_base.constants import StateManagerMode

from crm_app.settings import settings

_s = settings()

config = rx.Config(
    app_name="crm_app",
    # The address in the built files is taken out again (services/platform/frontend.py): one build serves any host.
    api_url="http://localhost:8000",
    cors_allowed_origins=(),  # no other site reads answers; whose page opens a websocket is for api/guard.py to say
    trusted_proxy_hops=_s.proxy_hops,
    redis_url=_s.redis_url or None,
    state_manager_mode=StateManagerMode.REDIS if _s.redis_url else StateManagerMode.MEMORY,
    telemetry_enabled=False,
    show_built_with_reflex=False,
    disable_plugins=[rx.plugins.SitemapPlugin],
)
