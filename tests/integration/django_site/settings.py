"""The project's settings; where events go, the environment says (SNOWPLOW_LOGGING_ENDPOINT)."""

ALLOWED_HOSTS = ["127.0.0.1"]
DEBUG = False
ROOT_URLCONF = "urls"
SECRET_KEY = "not-secret"  # noqa: S105 - it is not
USE_TZ = True

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "plain": {"format": "{levelname} {name}: {message}", "style": "{"},
    },
    "handlers": {
        "console": {"class": "logging.StreamHandler", "formatter": "plain"},
        "snowplow": {
            "class": "snowplow_logging.SnowplowHandler",
            "app_id": "django-shop",
            "namespace": "python",
        },
    },
    "root": {"level": "INFO", "handlers": ["console", "snowplow"]},
    "loggers": {
        # Django lets no other handler see this one's records: it must be given ours itself.
        # Ours comes first, so that what the console shows is queued already.
        "django.server": {
            "level": "INFO",
            "handlers": ["snowplow", "console"],
            "propagate": False,
        },
    },
}
