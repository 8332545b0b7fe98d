# Stands in for redis:7: Debian's redis-server, with user, command and folder of the official image.
FROM localhost/holdfast-verify/debian-python:13
RUN groupadd --system --gid 999 redis \
    && useradd --system --gid redis --uid 999 --no-create-home redis \
    && apt-get update -q \
    && DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends redis-server \
    && rm -rf /var/lib/apt/lists/* \
    && printf '#!/bin/sh\nexec "$@" --protected-mode no\n' > /usr/local/bin/docker-entrypoint.sh \
    && chmod 755 /usr/local/bin/docker-entrypoint.sh \
    && install --directory --owner redis --group redis /data
WORKDIR /data
ENTRYPOINT ["docker-entrypoint.sh"]
EXPOSE 6379
CMD ["redis-server"]
