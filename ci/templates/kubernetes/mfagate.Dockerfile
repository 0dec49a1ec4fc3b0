# mfagate with this project's configuration, contracts and recordings. No secret is in it: they are given to the
# container as variables, or as files that integrations.toml refers to.
#   docker build --file mfagate.Dockerfile --tag registry.example.com/login/mfagate:0.1.0 .
#   docker run --rm --read-only --tmpfs /tmp --cap-drop ALL --env-file deploy/mfa.env IMAGE gate
FROM python:3.12-slim-bookworm AS build
ARG MFAGATE_PACKAGE=mfagate[postgresql]
RUN python -m venv /opt/mfagate \
    && /opt/mfagate/bin/python -m pip install --no-cache-dir --disable-pip-version-check "${MFAGATE_PACKAGE}"

FROM python:3.12-slim-bookworm
ENV PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
COPY --from=build /opt/mfagate /opt/mfagate
WORKDIR /project
COPY integrations.toml ./
COPY contracts ./contracts
COPY cassettes ./cassettes
USER 10001:10001
ENTRYPOINT ["/opt/mfagate/bin/mfagate"]
CMD ["gate"]
