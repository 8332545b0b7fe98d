"""How the queue stands: for metrics, for administrators, for readiness."""

from sqlalchemy import text

# The queue stamps its rows with the server's clock, so their age is taken by it too. A job that failed and waits for
# its next try, or was told by hand to try again, is due since then and not since it was first asked for.
FIGURES = text(
    "SELECT count(*) FILTER (WHERE j.status = 'todo') AS waiting, count(*) FILTER (WHERE j.status = 'doing') AS running,"
    " count(*) FILTER (WHERE j.status = 'failed') AS failed,"
    " coalesce(greatest(extract(epoch FROM clock_timestamp() - min(coalesce(j.scheduled_at, asked.at))"
    "  FILTER (WHERE j.status = 'todo' AND (j.scheduled_at IS NULL OR j.scheduled_at <= clock_timestamp()))), 0), 0)::bigint"
    "  AS oldest_waiting_seconds"
    " FROM procrastinate_jobs j LEFT JOIN LATERAL ("
    "  SELECT max(e.at) AS at FROM procrastinate_events e"
    "  WHERE e.job_id = j.id AND j.status = 'todo' AND e.type IN ('deferred', 'deferred_for_retry', 'retried')"
    " ) asked ON true"
    " WHERE j.status IN ('todo', 'doing', 'failed')"
)
LATELY = 24
"""Hours for which a job that failed for good makes the service ``degraded``; it is listed for a week."""
DIED_LATELY = text(
    "SELECT count(*) FROM procrastinate_jobs j WHERE j.status = 'failed' AND EXISTS ("
    " SELECT FROM procrastinate_events e WHERE e.job_id = j.id AND e.type = 'failed'"
    " AND e.at > clock_timestamp() - make_interval(hours => :lately))"
)
"""With ``lately``: how many failed for good within so many hours."""
