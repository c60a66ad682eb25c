# Configured by environment variables; the README has the table. Needs DATABASE_URL: the
# folder a default SQLite would use belongs to root. Migrating is a step of its own, as
# many containers may start at once: see compose.yaml. Nothing but /tmp and /dev/shm is written.
FROM python:3.13-slim AS build
# At the path it will have in the end: a venv's scripts name their own folder.
RUN python -m venv /opt/venv
COPY requirements.txt .
RUN /opt/venv/bin/pip install --no-cache-dir --disable-pip-version-check -r requirements.txt

FROM python:3.13-slim
RUN useradd --uid 10001 --no-create-home app
COPY --from=build /opt/venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 DEBUG=0 LOG_FORMAT=json BIND=0.0.0.0:8000
WORKDIR /app
COPY . .
# Settings need a key and a host to load; these two end with this line.
RUN SECRET_KEY=only-for-this-step ALLOWED_HOSTS=localhost \
    python manage.py collectstatic --noinput --verbosity 0 && python -m compileall -q .
USER app
EXPOSE 8000
# Asks past any proxy that the environment names.
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s CMD ["python", "-c", "\
import urllib.request as u; \
u.build_opener(u.ProxyHandler({})).open('http://127.0.0.1:8000/healthz', timeout=4)"]
CMD ["gunicorn", "--config", "gunicorn.conf.py", "inventory_project.wsgi"]
