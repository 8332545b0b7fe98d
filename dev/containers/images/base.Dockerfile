# Stands in for python:3.13-slim where no image registry can be reached: Debian 13, whose Python is 3.13 too.
# `debian-python` is imported from what mmdebstrap makes; the certificates are this machine's, so that pip inside
# reaches whatever package index pip outside does.
FROM localhost/holdfast-verify/debian-python:13
ENV PATH=/usr/local/bin:/usr/local/sbin:/usr/bin:/usr/sbin:/bin:/sbin
COPY ca.crt /etc/ssl/certs/ca-certificates.crt
COPY pip.conf /etc/pip.conf
RUN rm -f /usr/lib/python3*/EXTERNALLY-MANAGED \
    && ln -s /usr/bin/python3 /usr/local/bin/python \
    && ln -s /usr/bin/python3 /usr/local/bin/python3 \
    && ln -s /usr/bin/pip3 /usr/local/bin/pip
CMD ["python3"]
