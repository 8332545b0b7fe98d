"""What Prometheus scrapes. Several processes share one folder of counters (PROMETHEUS_MULTIPROC_DIR)."""

from functools import cache

from prometheus_client import Counter, Gauge, Histogram

REQUESTS = Histogram(
    "holdfast_request_seconds",
    "Time from the first byte of a request to the answer, by operation and status class.",
    ["operation", "status_class"],
    buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
)
POOL_IN_USE = Gauge("holdfast_db_pool_in_use", "Database connections in use.", multiprocess_mode="livesum")
POOL_WAIT = Histogram(
    "holdfast_db_pool_wait_seconds",
    "Time a request waited for a database connection.",
    buckets=(0.001, 0.005, 0.025, 0.1, 0.5, 1, 2, 5),
)
REDIS_BREAKER_OPEN = Gauge(
    "holdfast_redis_breaker_open",
    "Processes that leave Redis alone after it failed.",
    multiprocess_mode="livesum",
)
LIMITER_DEGRADED = Counter(
    "holdfast_limiter_degraded_total", "Requests counted by a process alone because Redis was away."
)
REQUESTS_SHED = Counter(
    "holdfast_requests_shed_total", "Requests refused because they had waited too long for their turn."
)
CACHE_LOOKUPS = Counter(
    "holdfast_cache_lookups_total", "Fact look-ups by kind of fact and outcome.", ["namespace", "outcome"]
)
HASHES_WAITING = Gauge(
    "holdfast_password_hashes_waiting", "Requests that wait for a turn to hash.", multiprocess_mode="livesum"
)
SIGN_INS = Counter("holdfast_sign_ins_total", "Sign-in attempts by outcome.", ["outcome"])
BREACH_CHECKS = Counter(
    "holdfast_breach_checks_total", "Look-ups of passwords in the breach service by outcome.", ["outcome"]
)
CHANGES_SPAN = Gauge(
    "holdfast_changes_open_span",
    "Transactions begun since the oldest that was still open when the change feed was last read.",
    multiprocess_mode="mostrecent",
)
CHANGES_LATE = Histogram(
    "holdfast_changes_late_seconds",
    "By how much the oldest change that a client was told is older than what it asked before.",
    buckets=(0.1, 0.5, 1, 2, 5, 10, 30, 60, 300),
)
REPLICA_READS = Counter(
    "holdfast_replica_reads_total",
    "Reads that may lag a little, by the server that answered and the reason.",
    ["target", "reason"],
)
REPLICA_IN_ROTATION = Gauge(
    "holdfast_replica_in_rotation",
    "Whether a replica is asked.",
    ["replica"],
    multiprocess_mode="mostrecent",
)
REPLICA_LAG_SECONDS = Gauge(
    "holdfast_replica_lag_seconds",
    "How old at most is what a replica shows.",
    ["replica"],
    multiprocess_mode="mostrecent",
)
REPLICA_LAG_BYTES = Gauge(
    "holdfast_replica_lag_bytes",
    "How much of the primary's log a replica has not replayed.",
    ["replica"],
    multiprocess_mode="mostrecent",
)
JOBS_OLDEST = Gauge(
    "holdfast_jobs_oldest_seconds",
    "Age of the oldest job that waits and is due.",
    multiprocess_mode="mostrecent",
)
JOBS_FAILED = Gauge("holdfast_jobs_failed", "Jobs that failed for good.", multiprocess_mode="mostrecent")


@cache
def request_seconds(operation: str, status_class: str) -> Histogram:
    """The child of ``REQUESTS``; there are as many as operations, and looking one up costs as much as counting."""
    return REQUESTS.labels(operation, status_class)


@cache
def cache_lookups(namespace: str, outcome: str) -> Counter:
    """The child of ``CACHE_LOOKUPS``."""
    return CACHE_LOOKUPS.labels(namespace, outcome)


@cache
def replica_reads(target: str, reason: str) -> Counter:
    """The child of ``REPLICA_READS``."""
    return REPLICA_READS.labels(target, reason)
