# The C++ engine. From the repository's root: docker build -f deploy/engine.Dockerfile -t tandem-engine .
# Nothing is compiled for one CPU (the kernels choose their instruction set at run time), so the image runs on every
# x86-64 and arm64 machine that Debian supports. Plain Dockerfile syntax: the legacy builder takes it, too.

# The packages of the lock file, as in router.Dockerfile, which shares these lines' cache: for the OpenTelemetry protocol,
# since opentelemetry-cpp is no Debian package.
FROM node:24-bookworm-slim AS npm
WORKDIR /build
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --include=dev --include=optional --no-audit --no-fund --loglevel=error

FROM debian:bookworm-slim AS build
WORKDIR /build
COPY scripts/debian-packages.txt scripts/
RUN apt-get update -qq \
 && sed -n '/^# build: compiler/,/^$/p' scripts/debian-packages.txt | grep -v '^#' \
  | DEBIAN_FRONTEND=noninteractive xargs apt-get install -y -qq --no-install-recommends
COPY --from=npm /build/node_modules/otlp-protos/build/protos node_modules/otlp-protos/build/protos
COPY proto proto
COPY sidecar-cpp sidecar-cpp
RUN cd sidecar-cpp && cmake --preset release -DTANDEM_TESTS=OFF && cmake --build --preset release \
 && strip build/release/tandem-engine

FROM debian:bookworm-slim
RUN apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
    libgrpc++1.51 libhdf5-103-1 libhwy1 libspdlog1.10 libxxhash0 libyaml-cpp0.7 \
 && rm -rf /var/lib/apt/lists/* /var/cache/* /var/log/*
COPY --from=build /build/sidecar-cpp/build/release/tandem-engine /usr/local/bin/
COPY deploy/models /models
COPY LICENSE /usr/share/doc/tandem/
ENV TANDEM_ENGINE_LISTEN=0.0.0.0:50061 TANDEM_ENGINE_MODELS=/models
USER 10001:10001
EXPOSE 50061
HEALTHCHECK --interval=5s --timeout=3s --start-period=5s --retries=3 CMD ["tandem-engine", "--check-health"]
ENTRYPOINT ["tandem-engine"]
ARG REVISION=unknown
LABEL org.opencontainers.image.title="tandem-engine" \
      org.opencontainers.image.description="Runs spiking neural networks (NIR files) behind gRPC, for a Tandem router" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.revision="${REVISION}"
