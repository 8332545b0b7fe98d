# Stands in for axllent/mailpit: an SMTP sink that answers the few requests of mailpit's API that we make.
FROM localhost/holdfast-verify/debian-python:13
RUN apt-get update -q \
    && DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends python3-aiosmtpd \
    && rm -rf /var/lib/apt/lists/*
COPY --chmod=755 mail_sink.py /mailpit
EXPOSE 1025 8025
ENTRYPOINT ["/mailpit"]
