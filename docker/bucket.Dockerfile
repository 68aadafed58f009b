# The landing bucket: SeaweedFS' S3 server from the Python package index, and the one-shot that makes its keys.
ARG BASE_IMAGE=python:3.11-slim-bookworm
FROM ${BASE_IMAGE}
COPY docker/certificates/ /usr/local/share/ca-certificates/
RUN update-ca-certificates
ENV PIP_CERT=/etc/ssl/certs/ca-certificates.crt PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
COPY requirements-bucket.lock /
RUN python3 -m venv /venv && /venv/bin/pip install --require-hashes -r /requirements-bucket.lock
COPY docker/serve-bucket /serve-bucket
COPY docker/bucket-identities docker/bucket-keys /
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin floorhouse && install -d -o floorhouse /bucket \
    && install -d -m 700 -o floorhouse /keys /plant-key /bridge-key
USER floorhouse
ENV PATH=/venv/bin:$PATH HOME=/tmp
VOLUME /bucket
ENTRYPOINT ["/serve-bucket"]
