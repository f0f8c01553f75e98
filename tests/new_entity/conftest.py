"""REST over a real socket, as the tests of the API have it."""

from tests.api.conftest import base_url, fresh_limits, program

__all__ = ["base_url", "fresh_limits", "program"]
