# The image of the service for Snowpark Container Services (linux/amd64) or any container host.
FROM python:3.11-slim-bookworm AS build
WORKDIR /opt/spokehub
COPY requirements.lock pyproject.toml README.md ./
RUN python -m venv /opt/venv && /opt/venv/bin/pip install --no-cache-dir --no-deps -r requirements.lock
COPY app app
COPY services services
COPY spoke_kit spoke_kit
COPY spokes spokes
COPY embedded_account embedded_account
COPY mock_data mock_data
COPY migrations migrations
COPY templates templates
COPY docs docs
COPY hub.yaml mkdocs.yml ./
COPY deploy/entrypoint.sh ./
RUN /opt/venv/bin/pip install --no-cache-dir --no-deps --no-build-isolation --editable .
RUN NO_MKDOCS_2_WARNING=1 /opt/venv/bin/mkdocs build --strict --quiet && rm -r docs mkdocs.yml
# Some library holds templates that do not compile; all else is compiled all the same.
RUN /opt/venv/bin/python -m compileall -q /opt/venv/lib /opt/spokehub || true
RUN /opt/venv/bin/python -c 'from app.pages.render import compile_all; compile_all()'

FROM python:3.11-slim-bookworm
# libgomp: OpenMP, which xgboost and scikit-learn load
RUN apt-get update && apt-get install -y --no-install-recommends libgomp1 && rm -rf /var/lib/apt/lists/* \
    && useradd --create-home --uid 10001 spokehub && mkdir /data && chown spokehub:spokehub /data
COPY --from=build /opt/venv /opt/venv
COPY --from=build /opt/spokehub /opt/spokehub
WORKDIR /opt/spokehub
ENV PATH=/opt/venv/bin:$PATH SPOKEHUB_DATA=/data SPOKEHUB_HOST=0.0.0.0 SPOKEHUB_LOG=json SPOKEHUB_EXAMPLE=none
EXPOSE 8000
# It starts as root to take over a mounted volume, and runs the command as spokehub.
ENTRYPOINT ["/bin/sh", "/opt/spokehub/entrypoint.sh"]
CMD ["spokehub", "serve", "--port", "8000"]
