"""Settings of the tests: those of the product, with nothing from the developer's environment.

The SQLite database is a file so that the web process of a browser test can open it too; it lies in
memory where the system has a folder for that.
"""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

KEPT = "LABELHUB_TEST_"
for name in [name for name in os.environ if name.startswith("LABELHUB_")]:
    if not name.startswith(KEPT):
        del os.environ[name]

_memory = Path("/dev/shm")
_folder = Path(
    tempfile.mkdtemp(prefix="labelhub-tests-", dir=_memory if os.access(_memory, os.W_OK) else None)
)
_maker = os.getpid()


@atexit.register
def _remove_folder() -> None:
    if os.getpid() == _maker:
        shutil.rmtree(_folder, ignore_errors=True)


os.environ["LABELHUB_DATA_DIR"] = str(_folder / "data")
os.environ["LABELHUB_IMAGE_ROOTS"] = str(_folder / "images")
os.environ["LABELHUB_SECRET_KEY"] = "only-for-tests-" + "0" * 32
if url := os.environ.get("LABELHUB_TEST_DATABASE_URL"):
    os.environ["LABELHUB_DATABASE_URL"] = url

from labelhub.settings import *  # noqa: E402, F403 the environment is set first
from labelhub.settings import (  # noqa: E402
    DATA_DIR,
    DATABASES,
    FILE_UPLOAD_TEMP_DIR,
    IMAGE_ROOTS,
    STORAGES,
)

for folder in (DATA_DIR / "static", FILE_UPLOAD_TEMP_DIR, *IMAGE_ROOTS):
    folder.mkdir(parents=True)

if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATABASES["default"]["TEST"] = {"NAME": str(_folder / "test.sqlite3")}

# Argon2 takes 50 ms a password, and hashed names of static files need `collectstatic`.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES = STORAGES | {
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
}
