# One image for both variants: CUDA and cuDNN come as wheels with onnxruntime-gpu, so the base stays the slim one.
#   docker build --build-arg VARIANT=cpu .      or VARIANT=gpu
ARG PYTHON_IMAGE=python:3.11.14-slim-bookworm
ARG NODE_IMAGE=node:20.20.2-bookworm-slim

# The clinician's page: files only; Node stays in this stage.
FROM ${NODE_IMAGE} AS web
WORKDIR /src/web
# npm ci takes exactly what the lock says, and refuses what does not have the lock's digest.
COPY web/package.json web/package-lock.json web/.npmrc ./
RUN npm ci
COPY deploy/image/page_notices.sh /usr/local/bin/page-notices
RUN npm sbom --omit dev --sbom-format cyclonedx > /src/page.json \
    && sh /usr/local/bin/page-notices > /src/page-notices.txt
COPY web ./
RUN npm run build

FROM ${PYTHON_IMAGE} AS builder
ARG VARIANT=cpu
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /build
# Without pip inside: the runtime image gets only what the service imports. Every dependency has a wheel, and
# --only-binary makes a missing one an error here instead of a call for a compiler. The locks name every
# package with the digests of its files: one that was changed at its registry is refused.
RUN python -m venv --without-pip /opt/neurofuse
COPY requirements ./requirements
RUN pip install --require-hashes --only-binary :all: --requirement requirements/build.txt \
    && pip --python /opt/neurofuse/bin/python install --require-hashes --only-binary :all: \
       --requirement "requirements/${VARIANT}.txt"
COPY pyproject.toml README.md LICENSE ./
COPY app ./app
COPY --from=web /src/app/web ./app/web
# Built with the locked backend (no isolation, no index): nothing comes from outside any more. What pyproject.toml asks
# for must be there. Isolated (-I), so that what was installed is what is tried, not the sources here.
RUN pip wheel --no-index --no-build-isolation --no-deps --wheel-dir wheel . \
    && pip --python /opt/neurofuse/bin/python install --no-index --no-deps wheel/*.whl \
    && pip --python /opt/neurofuse/bin/python check \
    && /opt/neurofuse/bin/python -I -c "import app.main; from app.api.page import WEB; assert (WEB / 'index.html').is_file()"
COPY --from=web /src/page.json /src/page-notices.txt ./
COPY deploy/image/contents.py ./
RUN cyclonedx-py environment --pyproject pyproject.toml --output-reproducible --output-file python.json /opt/neurofuse/bin/python \
    && python contents.py python.json page.json /opt/neurofuse/share/doc \
    && cp page-notices.txt LICENSE /opt/neurofuse/share/doc/

FROM ${PYTHON_IMAGE} AS runtime
ARG VARIANT=cpu
ARG VERSION=0.3.0.dev0
LABEL org.opencontainers.image.title="NeuroFuse" \
      org.opencontainers.image.description="Head CT or brain MRI and the patient's record in, an explained outcome out; not for clinical use" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.neurofuse.variant="${VARIANT}"
# A fixed number, so that the owner of a mounted data folder can be set before the container runs.
RUN groupadd --gid 10001 neurofuse \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin neurofuse \
    && install --directory --owner=10001 --group=10001 --mode=0700 /var/lib/neurofuse
COPY --from=builder /opt/neurofuse /opt/neurofuse
# Owned by root and without a write bit: the process cannot change the models it answers with. In digits, which every
# builder understands; folders need the x.
COPY --chmod=0555 model_store /opt/neurofuse/model_store
ENV PATH=/opt/neurofuse/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    NEUROFUSE_HOST=0.0.0.0 \
    NEUROFUSE_PORT=8000 \
    NEUROFUSE_MODEL_STORE=/opt/neurofuse/model_store \
    NEUROFUSE_DATA=/var/lib/neurofuse
WORKDIR /var/lib/neurofuse
VOLUME /var/lib/neurofuse
USER 10001:10001
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=20s --start-period=60s --retries=3 CMD ["neurofuse", "healthcheck"]
ENTRYPOINT ["neurofuse"]
CMD ["serve"]
