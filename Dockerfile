# Two images from one file: `--target product` (portal, worker and face node) and `--target sandbox` (the pretend back offices, for
# demonstrations only). What is done here is done by make targets, so that it is tried where no container engine runs.

FROM python:3.11-slim-bookworm AS ground
# libgomp: the face engine's arithmetic. Nothing is compiled, no compiler comes in.
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install -y --no-install-recommends libgomp1 tini \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --uid 10001 --home-dir /var/lib/zhijian --create-home --shell /usr/sbin/nologin zhijian \
 && install -d -o zhijian -g zhijian -m 0700 /var/lib/zhijian /var/lib/zhijian/sandbox /var/lib/zhijian/tls
ENV PYTHONUNBUFFERED=1

FROM ground AS tools
# hadolint ignore=DL3008
RUN apt-get update && apt-get install -y --no-install-recommends make && rm -rf /var/lib/apt/lists/*
WORKDIR /srv/zhijian
COPY Makefile ./
COPY requirements requirements
COPY scripts/setup.sh scripts/setup.sh

FROM tools AS product-parts
RUN make image-venv IMAGE_VENV=/opt/venv
COPY . .
RUN make image-models IMAGE_VENV=/opt/venv IMAGE_MODELS=/opt/models

FROM tools AS sandbox-parts
RUN make image-venv-sandbox IMAGE_VENV=/opt/venv

FROM ground AS sandbox
WORKDIR /srv/zhijian
COPY --from=sandbox-parts /opt/venv /opt/venv
COPY sandbox sandbox
RUN python3 -m compileall -q .
USER 10001
ENV PATH=/opt/venv/bin:$PATH SANDBOX_HOST=0.0.0.0 SANDBOX_PORT=8100 SANDBOX_DATA=/var/lib/zhijian/sandbox.sqlite3
EXPOSE 8100
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8100/sandbox/people', timeout=2)"]
ENTRYPOINT ["tini", "--"]
CMD ["python", "-m", "sandbox"]

FROM ground AS product
WORKDIR /srv/zhijian
COPY --from=product-parts /opt/venv /opt/venv
# The data folder of a fresh volume begins with it; on any other, `scripts.prepare` makes it.
COPY --from=product-parts --chown=10001:10001 /opt/models /var/lib/zhijian/models
COPY pyproject.toml LICENSE ./
COPY core core
COPY auth auth
COPY notices notices
COPY face face
COPY certificates certificates
COPY matters matters
COPY migrations migrations
COPY api api
COPY scripts scripts
RUN python3 -m compileall -q .
USER 10001
# Production is the default here: settings that are unsafe for it are refused at the start.
ENV PATH=/opt/venv/bin:$PATH ZHIJIAN_ENV=production ZHIJIAN_HOST=0.0.0.0 ZHIJIAN_PORT=8000 \
    ZHIJIAN_DATA_DIR=/var/lib/zhijian
EXPOSE 8000
# Over HTTP, not TCP: a port can be open while nobody answers. A face node answers here as well, beside its own door.
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/health/live', timeout=2)"]
ENTRYPOINT ["tini", "--"]
CMD ["python", "-m", "api", "portal"]
