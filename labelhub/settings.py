"""The one settings file. Everything that may differ between two machines is an environment
variable `LABELHUB_*`, read once, here; the table in the README is written from these lines."""

import os
import secrets
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import dj_database_url
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from labelhub import env

BASE_DIR = Path(__file__).resolve().parent.parent

# Where things are kept ---------------------------------------------------------------------------
DATA_DIR = env.read(
    "DATA_DIR",
    str(BASE_DIR / "data"),
    "Folder of everything that is kept: database, uploads, thumbnails, models, exports, mail",
    parse=env.folder,
    shown="data",
)
IMAGE_ROOTS = env.read(
    "IMAGE_ROOTS",
    "~",
    "Folders of this machine that jobs may take images from, separated by `:`",
    parse=env.folders,
)
DATABASE_URL = env.read(
    "DATABASE_URL",
    f"sqlite:///{DATA_DIR / 'labelhub.sqlite3'}",
    "`postgresql://user:password@host/name` or `sqlite:///path`",
    parse=env.text,
    shown="sqlite:///data/labelhub.sqlite3",
)
REDIS_URL = env.read(
    "REDIS_URL",
    "",
    "`redis://host:6379/0`: cache, live messages and Celery's queue; needed for more than one web "
    "process",
    parse=env.text,
)
RUN_ENGINE = env.read(
    "RUN_ENGINE",
    "thread",
    "`thread`: background work in the web process; `celery`: on workers (needs Redis)",
    parse=env.one_of("thread", "celery"),
)
if RUN_ENGINE == "celery" and not REDIS_URL:
    raise ImproperlyConfigured("LABELHUB_RUN_ENGINE=celery needs LABELHUB_REDIS_URL")

# Web ---------------------------------------------------------------------------------------------
HOST = env.read("HOST", "127.0.0.1", "Address that the web process listens on", parse=env.text)
PORT = env.read("PORT", "8000", "Port that the web process listens on", parse=env.port)
PUBLIC_URL = env.read(
    "PUBLIC_URL",
    f"http://{HOST}:{PORT}",
    "Address that people type; links in mails start with it",
    parse=env.http_url,
    shown="http://127.0.0.1:8000",
)
HTTPS = env.read(
    "HTTPS",
    "false",
    "`true` behind a proxy that speaks https: secure cookies, HSTS",
    parse=env.boolean,
)
ALLOWED_HOSTS = env.read(
    "HOSTS",
    f"localhost,127.0.0.1,[::1],{urlsplit(PUBLIC_URL).hostname}",
    "Host names that are answered, separated by commas",
    parse=env.words,
    shown="localhost,127.0.0.1,[::1] and that of PUBLIC_URL",
)
DEBUG = env.read("DEBUG", "false", "Pages with tracebacks, for development", parse=env.boolean)


def _kept_secret(raw: str) -> str:
    """The key given, or one made on the first start and kept in the data folder."""
    if raw.strip():
        if len(raw.strip()) < 32:
            raise ValueError("it needs 32 characters or more")
        return raw.strip()
    path = DATA_DIR / "secret_key"
    if not path.exists():
        DATA_DIR.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(48))
    return path.read_text().strip()


SECRET_KEY = env.read(
    "SECRET_KEY",
    "",
    "Signs sessions and links; made and kept in the data folder where not given",
    parse=_kept_secret,
)

# Limits ------------------------------------------------------------------------------------------
MAX_IMAGE_BYTES = 1_000_000 * env.read(
    "MAX_IMAGE_MB",
    "25",
    "Largest image file, in MB",
    parse=lambda raw: env.whole(raw, least=1),
)
MAX_IMAGE_PIXELS = 1_000_000 * env.read(
    "MAX_IMAGE_MEGAPIXELS",
    "100",
    "Largest image, in millions of pixels",
    parse=lambda raw: env.whole(raw, least=1),
)
MAX_HEIC_PIXELS = 1_000_000 * env.read(
    "MAX_HEIC_MEGAPIXELS",
    "30",
    "Largest HEIC photo, in millions of pixels: each costs 7 MB of memory while it is read",
    parse=lambda raw: env.whole(raw, least=1),
)
THUMBNAILS_AHEAD = env.read(
    "THUMBNAILS_AHEAD",
    "true",
    "`true`: thumbnails of new images are made before anybody looks, when nothing else is to do",
    parse=env.boolean,
)
MAX_UPLOAD_BYTES = 1_000_000 * env.read(
    "MAX_UPLOAD_MB",
    "4000",
    "Largest uploaded file (a zip, say), in MB",
    parse=lambda raw: env.whole(raw, least=1),
)
MAX_UPLOAD_FILES = env.read(
    "MAX_UPLOAD_FILES",
    "200000",
    "Most files in one zip",
    parse=lambda raw: env.whole(raw, least=1),
)
TRASH_DAYS = env.read(
    "TRASH_DAYS",
    "30",
    "Days that deleted images can be restored",
    parse=lambda raw: env.whole(raw, least=1),
)
UNFINISHED_UPLOAD_HOURS = env.read(
    "UNFINISHED_UPLOAD_HOURS",
    "24",
    "Hours after which an upload that broke off cannot be continued any more",
    parse=lambda raw: env.whole(raw, least=1),
)
REQUESTS_AT_ONCE = env.read(
    "REQUESTS_AT_ONCE",
    "16",
    "Requests that one web process works on at the same time; the rest wait",
    parse=lambda raw: env.whole(raw, least=1),
)

# Storages ----------------------------------------------------------------------------------------
ENCRYPTION_KEYS = env.read(
    "ENCRYPTION_KEYS",
    "",
    "Keys that the access keys of storages are encrypted with, newest first, separated by commas; "
    "32 characters or more each; empty: SECRET_KEY",
    parse=env.long_words,
)
STORAGE_ADDRESSES = tuple(
    env.read(
        "STORAGE_ADDRESSES",
        "",
        "Addresses of S3 storages that are allowed although they lead to this machine or its "
        "link: `127.0.0.1:9000`, `169.254.0.0/16`, `store.local`, separated by commas",
        parse=env.addresses,
    )
)
STORAGE_CA_FILE = env.read(
    "STORAGE_CA_FILE",
    "",
    "Certificates (PEM) that S3 storages are trusted by, instead of the usual ones",
    parse=env.text,
)

# Model server ------------------------------------------------------------------------------------
MODEL_SERVER_PORT = env.read(
    "MODEL_SERVER_PORT", "1234", "Port that the model server listens on", parse=env.port
)
MODEL_SERVER_URL = env.read(
    "MODEL_SERVER_URL",
    f"http://127.0.0.1:{MODEL_SERVER_PORT}",
    "Where the web process finds the model server",
    parse=env.http_url,
    shown="http://127.0.0.1:1234",
)
MODEL_DIR = env.read(
    "MODEL_DIR",
    str(DATA_DIR / "models"),
    "Folder of the models",
    parse=env.folder,
    shown="data/models",
)
MODEL_NAME = env.read("MODEL_NAME", "PPLCNetV2", "Model that suggests labels", parse=env.text)
MODEL_PROCESSES = env.read(
    "MODEL_PROCESSES", "0", "Prediction processes; 0: as many as cores", parse=env.whole
)
MODEL_NUMERIC_MODE = env.read(
    "MODEL_NUMERIC_MODE",
    "fp32",
    "`fp32`, or `bf16` where the processor has it: faster, other scores",
    parse=env.one_of("fp32", "bf16"),
)

# Mail --------------------------------------------------------------------------------------------
EMAIL_URL = env.read(
    "EMAIL_URL",
    "",
    "`smtp://user:password@host:587?tls=true` or `smtps://…`; empty: mail goes to the console and "
    "to data/mail",
    parse=env.text,
)
DEFAULT_FROM_EMAIL = env.read(
    "EMAIL_FROM", "LabelHub <labelhub@localhost>", "Sender of mails", parse=env.text
)
if EMAIL_URL:
    _mail = urlsplit(EMAIL_URL)
    if _mail.scheme not in ("smtp", "smtps") or not _mail.hostname:
        raise ImproperlyConfigured("LABELHUB_EMAIL_URL starts with smtp:// or smtps://")
    EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    EMAIL_HOST, EMAIL_PORT = _mail.hostname, _mail.port or (465 if _mail.scheme == "smtps" else 25)
    EMAIL_HOST_USER = unquote(_mail.username or "")
    EMAIL_HOST_PASSWORD = unquote(_mail.password or "")
    EMAIL_USE_SSL = _mail.scheme == "smtps"
    EMAIL_USE_TLS = parse_qs(_mail.query).get("tls") == ["true"]
    EMAIL_TIMEOUT = 15
else:
    EMAIL_BACKEND = "labelhub.mail.ConsoleAndFolder"
    EMAIL_FILE_PATH = DATA_DIR / "mail"

# Django ------------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "django.forms",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.humanize",
    "django.contrib.staticfiles",
    "channels",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "csp",
    "axes",
    "lucide",
    "labelhub",
    "annotators",
    "runs",
    "datasets",
    "jobs",
    "labels",
    "inference",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "axes.middleware.AxesMiddleware",
]
ROOT_URLCONF = "labelhub.urls"
ASGI_APPLICATION = "labelhub.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "django.template.context_processors.i18n",
                "annotators.appearance.appearance",
            ],
        },
    },
    {
        "BACKEND": "django.template.backends.jinja2.Jinja2",
        "DIRS": [BASE_DIR / "templates"],
        "OPTIONS": {"environment": "jobs.jinja.environment"},
    },
]
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# A sync view runs in a thread of its own under ASGI: a kept connection would leak with the thread.
DATABASES = {"default": dj_database_url.parse(DATABASE_URL, conn_max_age=0)}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; "
        # Mapped is what the system has in its file cache anyway: reading a page costs no call.
        "PRAGMA mmap_size=1073741824; PRAGMA cache_size=-16000;",
    }
else:
    # What people wait for takes milliseconds: compiling it, or starting helpers, takes longer.
    DATABASES["default"].setdefault("OPTIONS", {}).setdefault(
        "options", "-c jit=off -c max_parallel_workers_per_gather=0"
    )
    if os.environ.get("LABELHUB_PROCESS") == "web":
        # Opening a connection takes as long as a small request. More are asked for than there are
        # places for requests: by websockets and the run thread.
        DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
        DATABASES["default"]["OPTIONS"]["pool"] = {
            "min_size": 1,
            "max_size": REQUESTS_AT_ONCE + 16,
            "timeout": 20,
        }

if REDIS_URL:
    CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": REDIS_URL,
            "KEY_PREFIX": "labelhub",
        }
    }
    CHANNEL_LAYERS = {
        "default": {
            "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
            "CONFIG": {"hosts": [REDIS_URL], "prefix": "labelhub"},
        }
    }
else:
    CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
            "OPTIONS": {"MAX_ENTRIES": 10_000},
        }
    }
    CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}

CELERY_BROKER_URL = REDIS_URL
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BEAT_SCHEDULE_FILENAME = str(DATA_DIR / "celerybeat-schedule")
CELERY_BEAT_SCHEDULE = {
    # Hands out again what a dead worker left: see runs/engine.py.
    "resume-runs": {"task": "runs.tasks.resume", "schedule": 10.0}
}

# Emails are unique whatever their case: by a constraint, which the first does not look for. The
# other misses a folder that the web process makes when it starts (labelhub/asgi.py).
SILENCED_SYSTEM_CHECKS = ["auth.W004", "files.E001"]

# People ------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "annotators.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
_VALIDATION = "django.contrib.auth.password_validation"
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": f"{_VALIDATION}.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ("email", "name")},
    },
    {"NAME": "annotators.passwords.LongEnough"},
    {"NAME": f"{_VALIDATION}.CommonPasswordValidator"},
    {"NAME": f"{_VALIDATION}.NumericPasswordValidator"},
]
LOGIN_URL = "sign_in"
LOGIN_REDIRECT_URL = "job_list"
LOGOUT_REDIRECT_URL = "sign_in"
# Rows stay the truth, the cache spares every request one statement.
SESSION_ENGINE = "django.contrib.sessions.backends.cached_db"
SESSION_COOKIE_AGE = 14 * 24 * 3600
AXES_FAILURE_LIMIT = 8
AXES_COOLOFF_TIME = 0.25  # hours
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_USERNAME_FORM_FIELD = "username"
AXES_LOCKOUT_TEMPLATE = "annotators/locked_out.html"
AXES_RESET_ON_SUCCESS = True
AXES_DISABLE_ACCESS_LOG = True
AXES_VERBOSE = False
INVITATION_DAYS = 7

# Language, time ----------------------------------------------------------------------------------
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("zh-hans", "简体中文")]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = env.read("TIME_ZONE", "UTC", "Time zone of dates on pages", parse=env.text)
USE_TZ = True
LANGUAGE_COOKIE_SAMESITE = "Lax"
LANGUAGE_COOKIE_AGE = 365 * 24 * 3600

# Static files ------------------------------------------------------------------------------------
STATIC_URL = "static/"
STATIC_ROOT = DATA_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATICFILES_FINDERS = [
    "django.contrib.staticfiles.finders.FileSystemFinder",
    "django.contrib.staticfiles.finders.AppDirectoriesFinder",
    "labelhub.staticfiles.HtmxFinder",
]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "labelhub.staticfiles.ModuleManifestStorage"},
}
MEDIA_ROOT = DATA_DIR / "media"
# Uploads above 1 MB go to a temporary file, none is held whole in memory. Not below /tmp, which
# is memory on some machines and has less room than the data folder on most.
FILE_UPLOAD_TEMP_DIR = DATA_DIR / "incoming" / "bodies"
FILE_UPLOAD_MAX_MEMORY_SIZE = 1_000_000
DATA_UPLOAD_MAX_MEMORY_SIZE = 5_000_000
DATA_UPLOAD_MAX_NUMBER_FILES = 1_000
WHITENOISE_MAX_AGE = 3600

# Security ----------------------------------------------------------------------------------------
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]
if HTTPS:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_HSTS_SECONDS = 31_536_000
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:", "blob:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}

# API ---------------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework.authentication.SessionAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "labelhub.errors.answer",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "LabelHub",
    "DESCRIPTION": "Image-classification labeling for teams.",
    "VERSION": "0.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_NAME_OVERRIDES": {
        "RoleEnum": "annotators.roles.ROLE_CHOICES",
        "InvitableRoleEnum": "annotators.roles.INVITABLE_CHOICES",
        "StorageKindEnum": "datasets.models.StorageKind",
        "RunKindEnum": "runs.models.RunKind",
        "RunStateEnum": "runs.models.RunState",
        "AdditionStateEnum": "labels.additions.STATES",
    },
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {
        "handlers": ["console"],
        "level": env.read(
            "LOG_LEVEL",
            "WARNING",
            "DEBUG, INFO, WARNING or ERROR",
            parse=env.one_of("DEBUG", "INFO", "WARNING", "ERROR"),
        ),
    },
}
