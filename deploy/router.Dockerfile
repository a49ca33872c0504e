# The router. From the repository's root: docker build -f deploy/router.Dockerfile -t tandem-router .
# Plain Dockerfile syntax: the legacy builder takes it, too.

# For a build that is the same every time, name them by digest: --build-arg NODE_IMAGE=node:24-bookworm-slim@sha256:…
ARG NODE_IMAGE=node:24-bookworm-slim

FROM ${NODE_IMAGE} AS npm
WORKDIR /build
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --include=dev --include=optional --no-audit --no-fund --loglevel=error

FROM npm AS generate
COPY proto proto
RUN cd proto && export PATH=/build/node_modules/.bin:$PATH && buf generate \
 && buf build --as-file-descriptor-set --output ../services/generated/descriptors.binpb

FROM ${NODE_IMAGE} AS packages
WORKDIR /tandem
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --omit=dev --omit=optional --no-audit --no-fund --loglevel=error

FROM ${NODE_IMAGE}
WORKDIR /tandem
COPY --from=packages /tandem/node_modules node_modules
COPY LICENSE package.json ./
COPY proto proto
COPY services services
COPY --from=generate /build/services/generated services/generated
COPY deploy/models deploy/models
COPY README.md ./
COPY docs docs
COPY deploy/RUNBOOK.md deploy/TROUBLESHOOTING.md deploy/
COPY deploy/pictures deploy/pictures
RUN ln -s /tandem/services/cli/tandem.js /usr/local/bin/tandem && ln -s /tandem/deploy/models /models \
 && install -d -o 10001 -g 10001 /var/lib/tandem
# A container is reached from outside of it. Setting `tls` encrypts that; without it the start asks for `insecure: true`.
ENV NODE_ENV=production TANDEM_LISTEN=0.0.0.0:50051 TANDEM_HTTP_LISTEN=0.0.0.0:8080 TANDEM_MODELS_DIR=/models
# For the router and for `docker exec … tandem`, in a folder that the router makes for itself.
ENV TANDEM_ADMIN_LISTEN=unix:/var/lib/tandem/run/admin.sock
# As in deploy/router.env, which says why.
ENV NODE_OPTIONS=--max-semi-space-size=8
ENV MALLOC_TRIM_THRESHOLD_=1048576
ENV MALLOC_ARENA_MAX=1
USER 10001:10001
EXPOSE 50051 8080
HEALTHCHECK --interval=5s --timeout=3s --start-period=10s --retries=3 CMD ["tandem", "health"]
ENTRYPOINT ["node", "services/start.ts"]
ARG REVISION=unknown
LABEL org.opencontainers.image.title="tandem-router" \
      org.opencontainers.image.description="Answers reason(encoding) over gRPC from spiking neural networks" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.revision="${REVISION}"
