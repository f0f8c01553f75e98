# Two stages: packages and front end are built in the first, the second only runs. PostgreSQL is a service of its own
# (compose.yaml), so the embedded one is not started here.
FROM python:3.12-slim AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /app
RUN python -m venv /opt/venv
COPY requirements.lock ./
RUN /opt/venv/bin/pip install --no-deps --require-hashes -r requirements.lock
COPY pyproject.toml README.md rxconfig.py ./
COPY reflex.lock reflex.lock
COPY alembic alembic
COPY assets assets
COPY crm_app crm_app
RUN /opt/venv/bin/pip install --no-deps --no-build-isolation --editable . \
 && CRM_DATA_DIR=/tmp/build /opt/venv/bin/crm build \
 && find .web -mindepth 1 -maxdepth 1 ! -name build -exec rm -rf {} +

FROM python:3.12-slim
RUN useradd --system --create-home --uid 10001 salescompass && install -d -o salescompass /data
COPY --from=build /opt/venv /opt/venv
COPY --from=build /app /app
WORKDIR /app
# Reflex notes there at each start which pages have state.
RUN install -d -o salescompass .web/backend
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 CRM_DATA_DIR=/data CRM_HOST=0.0.0.0
USER salescompass
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s --retries=4 \
  CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/api/health', timeout=4)"]
CMD ["crm", "serve"]
