"""Environment variables that the templates inject and the runtimes require, per role.

A missing or empty one stops the process at start, by name. AWS credentials are never among
them: they come from the instance or task role.
"""

from __future__ import annotations

from config.contracts.queues import QUEUES

QUEUE_NAMES = tuple(queue.variable for queue in QUEUES)

DATABASE = ("DB_HOST", "DB_PORT", "DB_NAME", "DB_USER", "DB_PASSWORD")
#: ARN of the secret that DB_PASSWORD came from, for whoever is refused after a rotation.
DATABASE_SECRET = "DB_SECRET_ARN"  # noqa: S105 - a name
#: libpq's sslmode; present where the server has TLS.
DATABASE_TLS = "DB_SSLMODE"
REDIS = ("REDIS_HOST", "REDIS_PORT")
#: `true` where Redis speaks TLS, and where it is a cluster; absent otherwise.
REDIS_TLS, REDIS_CLUSTER = "REDIS_TLS", "REDIS_CLUSTER"
BUCKETS = ("R2_AI_BUCKET", "R2_VIDEO_BUCKET", "R2_EXCEL_BUCKET", "R2_STORAGE_BUCKET")
#: `s3` uses the role's credentials; `r2` needs R2_CREDENTIALS as well.
STORAGE_PROVIDER = "STORAGE_PROVIDER"
R2_CREDENTIALS = ("R2_ENDPOINT", "R2_ACCESS_KEY", "R2_SECRET_KEY")

_SHARED = (
    *DATABASE,
    DATABASE_SECRET,
    *REDIS,
    *BUCKETS,
    *QUEUE_NAMES,
    STORAGE_PROVIDER,
    "AWS_DEFAULT_REGION",
    "INTERNAL_WORKER_TOKEN",
)

#: Below `/academy/workers/env`.
WORKERS = (*_SHARED, "API_BASE_URL")
#: Below `/academy/api/env`.
API = (
    *_SHARED,
    "DJANGO_SETTINGS_MODULE",
    "SECRET_KEY",
    "ALLOWED_HOSTS",
    "CORS_ORIGINS",
    "LAMBDA_INTERNAL_API_KEY",
    "OPERATOR_API_TOKEN",
    "VIDEO_ATTEMPTS",
    "RATE_LIMIT_PER_MINUTE",
)
#: Days after which the API deletes the original of a finished video; present where the store has no
#: rule that could.
ORIGINAL_DAYS = "ORIGINAL_DAYS"
#: The id and the private key that the API signs CloudFront's cookies with; both, or none where
#: segments come from the store itself.
PLAYBACK = ("PLAYBACK_KEY_PAIR_ID", "PLAYBACK_PRIVATE_KEY")
#: How many proxies in front of the API add an address to X-Forwarded-For; 1, the load balancer,
#: where it is absent.
PROXY_HOPS = "PROXY_HOPS"
#: A replica that answers the API's reads while DB_HOST is down.
REPLICA_HOST = "DB_REPLICA_HOST"
#: Present only where the database, Redis, the store or the edge asks for them.
OPTIONAL = (
    DATABASE_TLS,
    "REDIS_PASSWORD",
    REDIS_TLS,
    REDIS_CLUSTER,
    *R2_CREDENTIALS,
    ORIGINAL_DAYS,
    *PLAYBACK,
    PROXY_HOPS,
    REPLICA_HOST,
)

#: Given to one fleet's containers by its user data, since they differ by fleet.
WORKER_FLEET = (
    "ENVIRONMENT",
    "WORKER_KIND",
    "AUTO_SCALING_GROUP_NAME",
    "IDLE_S",
    "ATTEMPTS",
    "VISIBILITY_TIMEOUT_S",
    "TIME_LIMIT_S",
    "CONCURRENCY",
    "HANG_LIMIT_S",
)
#: Given to one kind's containers besides WORKER_FLEET. VIDEO_RATE_CONTROL is `crf` or `abr`.
VIDEO_FLEET = ("VIDEO_LADDER", "VIDEO_SEGMENT_S", "VIDEO_PART_S", "VIDEO_RATE_CONTROL")
#: Tesseract's languages (`kor+eng`), and the speech model of the image.
AI_FLEET = ("OCR_LANGUAGES", "SUBTITLES_MODEL")
#: MESSAGING_PROVIDER is a key of MESSAGING_CREDENTIALS; ALIGO_TESTMODE `Y` or `N`, which Solapi
#: does not know; ALERT_TOPIC_ARN the operators' topic.
MESSAGING_FLEET = ("MESSAGING_PROVIDER", "ALIGO_TESTMODE", "ALERT_TOPIC_ARN")
#: Where the provider is asked instead of at its own addresses. The embedded AWS gives it to every
#: container; no template does.
MESSAGING_ENDPOINT = "MESSAGING_ENDPOINT"
#: Whom Alimtalk come from: Aligo's senderkey, Solapi's pfId. May be empty: no Alimtalk then.
KAKAO_SENDER_KEY = "KAKAO_SENDER_KEY"
#: Below the messaging workers' own path: which variable holds which key of the JSON secret.
MESSAGING_CREDENTIALS = {
    "aligo": {
        "MESSAGING_API_KEY": "api_key",
        "MESSAGING_USER_ID": "user_id",
        KAKAO_SENDER_KEY: "kakao_sender_key",
    },
    "solapi": {
        "MESSAGING_API_KEY": "api_key",
        "MESSAGING_API_SECRET": "api_secret",
        KAKAO_SENDER_KEY: "kakao_sender_key",
    },
}

#: The metric function. LAMBDA_INTERNAL_API_KEY holds the ARN of the secret, never its value.
METRIC_FUNCTION = (
    "VIDEO_BACKLOG_API_URL",
    "LAMBDA_INTERNAL_API_KEY",
    "ENVIRONMENT",
    "FLEETS",
    "TICK_S",
)
#: The canary.
HEALTH_CANARY = ("HEALTH_URL", "ENVIRONMENT")
INTERNAL_KEY_HEADER = "X-Internal-Key"

#: Which configuration a rendered file is: `parameters.configuration_digest`. Nobody stores it.
CONFIGURATION = "CONFIGURATION"

#: Variables whose values may appear in no log line.
SECRETS = (
    "DB_PASSWORD",
    "REDIS_PASSWORD",
    "R2_ACCESS_KEY",
    "R2_SECRET_KEY",
    "INTERNAL_WORKER_TOKEN",
    "SECRET_KEY",
    "LAMBDA_INTERNAL_API_KEY",
    "OPERATOR_API_TOKEN",
    "PLAYBACK_PRIVATE_KEY",
    "MESSAGING_API_KEY",
    "MESSAGING_API_SECRET",
    KAKAO_SENDER_KEY,
)
