"""The REST interface for programs: every declared entity at /api/<plural>/, through the same services as the screens.

Who calls is said by a bearer token alone; cookies are never looked at, so no foreign page can act with them.
"""
