"""Settings of the web process that tests start: the product's own, all of them.

Passwords that a test sets are hashed the fast way (tests/settings.py), so that must be understood.
"""

from labelhub.settings import *  # noqa: F403
from labelhub.settings import PASSWORD_HASHERS

PASSWORD_HASHERS = [*PASSWORD_HASHERS, "django.contrib.auth.hashers.MD5PasswordHasher"]
