"""Django's settings. Everything that differs between installations comes from the environment."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

PACKAGE = Path(__file__).resolve().parent.parent
HOME = Path(os.environ.get("USANCE_HOME") or PACKAGE.parent.parent / "var")


class Missing(RuntimeError):
    """A setting without which nothing may start."""


def required(name: str) -> str:
    value = os.environ.get(name, "")
    if not value:
        raise Missing(f"The environment variable {name} is not set; `usance run` sets it, or read docs/operations.md.")
    return value


def flag(name: str, default: bool = False) -> bool:
    return os.environ.get(name, "1" if default else "0").lower() in {"1", "true", "yes", "on"}


def encrypted(host: str, query: dict[str, str]) -> dict[str, str]:
    """How the connection to a database server is protected: on this machine as it is, elsewhere by TLS with a
    certificate that is checked. Raises Missing for a server elsewhere and no such protection."""
    if host.startswith("/") or host in ("", "localhost", "127.0.0.1", "::1"):
        return {}
    if query.get("sslmode", "verify-full") not in ("verify-ca", "verify-full"):
        raise Missing(f"The database is on {host}: take sslmode=verify-full in its address, or leave sslmode out.")
    return {"sslmode": "verify-full", "sslrootcert": "system"}


def database(url: str) -> dict[str, Any]:
    """A connection as Django wants it, from `postgresql://user:password@host:port/name?option=value`."""
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query))
    query = encrypted(query.get("host", parts.hostname or ""), query) | query
    return {
        "ENGINE": "usance.apps.institutions.backend",
        "NAME": parts.path.lstrip("/"),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": query.pop("host", parts.hostname or ""),
        "PORT": str(parts.port or ""),
        "CONN_HEALTH_CHECKS": False,
        "OPTIONS": {
            "connect_timeout": 5,
            "application_name": os.environ.get("USANCE_PROCESS", "usance"),
            # the server plans a statement that comes again and again once, not each time
            "server_side_binding": True,
            "prepare_threshold": 5,
            **query,
        },
        "ATOMIC_REQUESTS": False,  # the tenancy middleware opens the page's one transaction, bound from its first row
    }


DEBUG = flag("USANCE_DEBUG")
SECRET_KEY = required("SECRET_KEY")
USANCE_TENANCY_SECRET = required("USANCE_TENANCY_SECRET")
# the key ring: newest first, `id:base64 of 32 bytes`, separated by commas; old ones stay until everything is rewrapped
USANCE_KEYS = required("USANCE_KEYS")
USANCE_APP_ROLE = os.environ.get("USANCE_APP_ROLE", "usance_app")
USANCE_BASE_URL = os.environ.get("USANCE_BASE_URL", "http://{host}:8000")  # {host}: the institution's host name
USANCE_CALLBACK_URL = os.environ.get("USANCE_CALLBACK_URL", "http://127.0.0.1:8000")  # as the providers reach us
USANCE_SANDBOX_URL = os.environ.get("USANCE_SANDBOX_URL", "")
USANCE_DEMO = flag("USANCE_DEMO")
USANCE_CLOCK_FILE = os.environ.get("USANCE_CLOCK_FILE", "")  # of a demo whose clock is pushed: see `usance faults`

DATABASES = {
    "default": database(
        required("DATABASE_OWNER_URL" if os.environ.get("USANCE_DB_ROLE") == "owner" else "DATABASE_URL")
    )
}
if os.environ.get("USANCE_DB_POOL"):
    DATABASES["default"]["OPTIONS"]["pool"] = {
        "min_size": 1,
        "max_size": int(os.environ["USANCE_DB_POOL"]),
        "timeout": 5,  # the pool's own 30 s would hide a dead database
    }
else:
    DATABASES["default"]["CONN_MAX_AGE"] = 60

ALLOWED_HOSTS = os.environ.get("USANCE_ALLOWED_HOSTS", ".localhost,127.0.0.1,localhost,testserver").split(",")
CSRF_TRUSTED_ORIGINS = [o for o in os.environ.get("USANCE_TRUSTED_ORIGINS", "").split(",") if o]
USE_TLS = flag("USANCE_TLS", default=not USANCE_DEMO)  # who forgets to say so is on the safe side
# proxies of our own in front: the visitor's address is that many from the right of X-Forwarded-For
USANCE_PROXY_HOPS = int(os.environ.get("USANCE_PROXY_HOPS", "0"))
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if USE_TLS else None
COOKIE_PREFIX = "__Host-" if USE_TLS else ""
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = USE_TLS
SESSION_COOKIE_NAME = f"{COOKIE_PREFIX}session"
CSRF_COOKIE_NAME = f"{COOKIE_PREFIX}form"
CSRF_COOKIE_HTTPONLY = True  # scripts take the token from the page's form
CSRF_COOKIE_SAMESITE = "Lax"
SECURE_HSTS_SECONDS = 2 * 31_536_000 if USE_TLS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = USE_TLS
# a person's browser is sent on to https; a program that speaks in the clear is refused (web.middleware)
SECURE_SSL_REDIRECT = USE_TLS
SECURE_REDIRECT_EXEMPT = [r"^health/", r"^metrics$", r"^callbacks/"]
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_ENGINE = "usance.apps.access.sessions"
SESSION_COOKIE_AGE = 12 * 3600
CSRF_FAILURE_VIEW = "usance.web.errors.csrf_failed"
X_FRAME_OPTIONS = "DENY"

APPS = [
    "institutions",
    "audit",
    "access",
    "desk",
    "customers",
    "imports",
    "products",
    "decisioning",
    "origination",
    "agreements",
    "ledger",
    "servicing",
    "payments",
    "messaging",
    "reporting",
]
INSTALLED_APPS = [
    *[f"usance.apps.{name}" for name in APPS],
    "usance.workflows",
    "usance.web",
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django.contrib.humanize",
    "django_htmx",
    "django_vite",
    "procrastinate.contrib.django",
]
MIDDLEWARE = [
    "usance.config.middleware.ObservingMiddleware",
    "usance.web.middleware.ContentSecurityMiddleware",
    "usance.web.middleware.GateMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.gzip.GZipMiddleware",  # pages; it adds noise, so that their size tells nobody a secret
    "usance.web.middleware.TenancyMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "usance.web.middleware.LanguageMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "usance.web.middleware.TextMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "usance.web.middleware.RefusalMiddleware",
]
ROOT_URLCONF = "usance.config.urls"
WSGI_APPLICATION = "usance.config.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [PACKAGE / "web" / "templates"],
        "APP_DIRS": False,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "usance.web.context.site",
            ],
            "builtins": [
                "usance.web.templatetags.usance",
                "usance.web.templatetags.contact",
                "django.templatetags.i18n",
                "django.templatetags.static",
            ],
            "loaders": [
                (
                    "django.template.loaders.cached.Loader",
                    ["django.template.loaders.filesystem.Loader"],
                )
            ],
        },
    }
]
FORM_RENDERER = "usance.web.forms.HouseRenderer"
INSTALLED_APPS.append("django.forms")

AUTH_USER_MODEL = "access.User"
AUTHENTICATION_BACKENDS = ["usance.apps.access.backend.InstitutionBackend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
LOGIN_URL = "staff:sign_in"
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("vi", "Tiếng Việt"), ("uk", "Українська")]
LOCALE_PATHS = [PACKAGE / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

STATIC_URL = "/static/"
STATIC_ROOT = PACKAGE / "web" / "static"  # served as it stands: the front end's build puts its files there
WHITENOISE_KEEP_ONLY_HASHED_FILES = False
WHITENOISE_IMMUTABLE_FILE_TEST = r"^/static/dist/assets/"  # their names change with their content
WHITENOISE_MAX_AGE = 3600
DJANGO_VITE = {
    "default": {"manifest_path": PACKAGE / "web" / "static" / "dist" / "manifest.json", "static_url_prefix": "dist"}
}
MEDIA_ROOT = HOME / "documents"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
USANCE_SEAL_PEM = os.environ.get("USANCE_SEAL_PEM", str(HOME / "seal.pem"))  # key and certificates of the seal
# one-time codes to phones that nobody here is known by, per institution: what strangers together can cost in a day
USANCE_STRANGERS_CODES_PER_DAY = int(os.environ.get("USANCE_STRANGERS_CODES_PER_DAY", "2000"))
USANCE_LARGEST_BODY = 8_000_000  # bytes, files included
DATA_UPLOAD_MAX_MEMORY_SIZE = 2_500_000
DATA_UPLOAD_MAX_NUMBER_FIELDS = 500

PROCRASTINATE_AUTODISCOVER_MODULE_NAME = None  # wiring imports the modules that declare tasks
PROCRASTINATE_ON_APP_READY = "usance.config.wiring.on_queue_ready"
SILENCED_SYSTEM_CHECKS = ["auth.W004"]  # an e-mail is unique within its institution


def provider_settings(prefix: str, defaults: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Settings of a provider by institution code (`*`: every institution), from `PREFIX_NAME`, or `PREFIX_CODE_NAME`
    for one institution. `defaults` are the sandbox's."""
    found: dict[str, dict[str, Any]] = {}
    for code, values in defaults.items():
        mine = prefix if code == "*" else f"{prefix}_{code.upper()}"
        found[code] = {
            name: os.environ.get(f"{mine}_{name.upper()}", os.environ.get(f"{prefix}_{name.upper()}", value))
            for name, value in values.items()
        }
    return found


# the provider's published test merchant and its like for the other demo currencies; real ones come from the
# environment. Without a sandbox there are no keys but those given: by a published one anybody could sign a callback
_FONDY_SANDBOX = {
    "base_url": f"{USANCE_SANDBOX_URL}/fondy/api",
    "payment_key": "test" if USANCE_SANDBOX_URL else "",
    "credit_key": "testcredit" if USANCE_SANDBOX_URL else "",
    "read_timeout_s": "30",
    "page_hosts": "",
}
FONDY = provider_settings(
    "FONDY",
    {
        "ua": {**_FONDY_SANDBOX, "merchant_id": "1396424", "time_zone": "Europe/Kyiv"},
        "vn": {**_FONDY_SANDBOX, "merchant_id": "1700002", "time_zone": "Europe/Kyiv"},
        "eu": {**_FONDY_SANDBOX, "merchant_id": "1549901", "time_zone": "Europe/Kyiv"},
        "*": {**_FONDY_SANDBOX, "merchant_id": "1396424", "time_zone": "Europe/Kyiv"},
    },
)
ESPUTNIK = provider_settings(
    "ESPUTNIK",
    {
        "*": {
            "base_url": f"{USANCE_SANDBOX_URL}/esputnik/api/v1",
            "login": "demo" if USANCE_SANDBOX_URL else "",
            "api_key": "sandbox" if USANCE_SANDBOX_URL else "",
            "sms_sender": "usance",
            "email_sender": "usance <no-reply@usance.localhost>",
        }
    },
)
# pushes: one pair of keys for the installation; without a key none are offered
WEBPUSH = provider_settings(
    "WEBPUSH",
    {
        "*": {
            "private_key": "",
            "contact": "push@usance.localhost",
            "services": "",
            "sandbox_url": USANCE_SANDBOX_URL,
        }
    },
)

from usance.config import logs  # noqa: E402

LOGGING_CONFIG = None
logs.configure()
