# One image for the API, the worker and every `flask` command; docs/operations.md says how to run it.
#   docker build -t holdfast .
#   docker run --rm holdfast flask --help
ARG PYTHON_IMAGE=python:3.13-slim

# hadolint ignore=DL3006 # the ARG above holds the tag
FROM ${PYTHON_IMAGE} AS build

# pip stays outside of the environment, so that the image below has no second one to keep up to date.
RUN python -m venv --without-pip /opt/holdfast

# Wheels only, each known by its hash: nothing is compiled and nothing unknown is run.
COPY requirements.txt /build/
RUN --mount=type=cache,target=/root/.cache/pip \
    python -m pip --python /opt/holdfast/bin/python --disable-pip-version-check --no-input install \
        --require-hashes --no-deps --only-binary :all: --no-compile --no-warn-script-location \
        --requirement /build/requirements.txt

COPY wsgi.py gunicorn.conf.py /srv/holdfast/
COPY app /srv/holdfast/app
COPY migrations /srv/holdfast/migrations

# Bytecode is made here, since the running container can write nowhere; it is tied to the hash of no file, because
# no source in an image ever changes. A clone made under a strict umask must still be readable by the service's user.
RUN python -m compileall -q -j 0 --invalidation-mode unchecked-hash /opt/holdfast/lib /srv/holdfast \
    && chmod -R u=rwX,go=rX /opt/holdfast /srv/holdfast


# hadolint ignore=DL3006
FROM ${PYTHON_IMAGE}

LABEL org.opencontainers.image.title="Holdfast" \
      org.opencontainers.image.description="Accounts, sessions and projects behind one documented REST API" \
      org.opencontainers.image.licenses="MIT"

# The number is fixed, so that a platform can demand "not root" without reading /etc/passwd. The three folders are where
# docker-compose.yml mounts its volumes: a fresh volume takes owner and mode from here.
RUN groupadd --gid 10001 holdfast \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin holdfast \
    && install --directory --owner 10001 --group 10001 --mode 0700 /var/lib/holdfast/secrets \
    && install --directory --owner 10001 --group 10001 --mode 0755 /var/lib/holdfast/database \
    && install --directory --owner 10001 --group 10001 --mode 0700 /var/lib/holdfast/files

COPY --from=build /opt/holdfast /opt/holdfast
COPY --from=build /srv/holdfast /srv/holdfast

# Production unless told otherwise: what is missing or unsafe then ends the start with one line each.
# /tmp and the volume of files are all that is written to: --read-only --tmpfs /tmp is the way to run it.
ENV PATH=/opt/holdfast/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    FLASK_APP=wsgi \
    APP_ENV=production \
    HOST=0.0.0.0 \
    PROMETHEUS_MULTIPROC_DIR=/tmp

WORKDIR /srv/holdfast
USER 10001:10001
EXPOSE 8000

# SIGTERM drains for 5 s and then gives requests 25 s: wait at least 35 s before a kill (docker stop -t 40).
STOPSIGNAL SIGTERM

HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
    CMD ["python", "-IS", "-c", "import http.client as h, os, sys; c = h.HTTPConnection('127.0.0.1', int(os.environ.get('PORT') or 8000), timeout=2); c.request('GET', '/livez'); sys.exit(c.getresponse().status != 200)"]

# gunicorn.conf.py in the working directory holds the rest, the control socket switched off among it.
CMD ["gunicorn", "wsgi:app"]
