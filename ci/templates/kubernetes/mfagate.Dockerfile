# mfagate with this project's configuration, contracts and recordings. No secret is in it: they are given to the
# container as variables, or as files that integrations.toml refers to.
#   docker build --file mfagate.Dockerfile --tag registry.example.com/login/mfagate:0.1.0 .
#   docker run --rm --read-only --tmpfs /tmp --cap-drop ALL --env-file deploy/mfa.env IMAGE gate
# This image has git, which pip needs for a git URL.
FROM python:3.12-bookworm AS build
# mfagate is on no public index: install it from where you keep it, in a version that does not move.
ARG MFAGATE_PACKAGE="mfagate[postgresql] @ git+https://git.example.com/mfagate@v0.1.0"
# ARG PIP_INDEX_URL="https://index.example.com/simple"
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
