# The C++ engine. From the repository's root: docker build -f deploy/engine.Dockerfile -t tandem-engine .
# Nothing is compiled for one CPU (the kernels choose their instruction set at run time), so the image runs on every
# x86-64 and arm64 machine that Debian supports (`npm run test:portable`). Plain Dockerfile syntax: the legacy builder
# takes it, too. For both machines at once: docker buildx build --platform linux/amd64,linux/arm64 -f deploy/engine.Dockerfile .
# CROSS=arm64 is for machines that cannot run arm64's programs: a cross-compiler makes the engine, and its libraries come to
# lie beside this machine's own. The test runs that image under an emulator.

# The packages of the lock file, as in router.Dockerfile, which shares these lines' cache: for the OpenTelemetry protocol,
# since opentelemetry-cpp is no Debian package.
# For a build that is the same every time, name them by digest: --build-arg NODE_IMAGE=node:24-bookworm-slim@sha256:…
ARG NODE_IMAGE=node:24-bookworm-slim
ARG DEBIAN_IMAGE=debian:bookworm-slim

FROM ${NODE_IMAGE} AS npm
WORKDIR /build
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --include=dev --include=optional --no-audit --no-fund --loglevel=error

FROM ${DEBIAN_IMAGE} AS build
ARG CROSS=
WORKDIR /build
COPY scripts/debian-packages.txt scripts/
RUN if [ "$CROSS" ]; then dpkg --add-architecture $CROSS; fi \
 && apt-get update -qq \
 && sed -n '/^# build: compiler/,/^$/p' scripts/debian-packages.txt | grep -v '^#' \
  | sed "${CROSS:+s/^lib.*-dev$/&:$CROSS/; s/^g++$/crossbuild-essential-$CROSS/}" \
  | DEBIAN_FRONTEND=noninteractive xargs apt-get install -y -qq --no-install-recommends
COPY --from=npm /build/node_modules/otlp-protos/build/protos node_modules/otlp-protos/build/protos
COPY proto proto
COPY sidecar-cpp sidecar-cpp
RUN cd sidecar-cpp \
 && cmake --preset release ${CROSS:+--toolchain cmake/linux-$CROSS.cmake} -DTANDEM_TESTS=OFF -DCMAKE_EXE_LINKER_FLAGS=-s \
 && cmake --build --preset release

FROM ${DEBIAN_IMAGE}
ARG CROSS=
RUN if [ "$CROSS" ]; then dpkg --add-architecture $CROSS; fi \
 && apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
    $(printf "%s${CROSS:+:$CROSS} " libgrpc++1.51 libhdf5-103-1 libhwy1 libspdlog1.10 libxxhash0 libyaml-cpp0.7) \
 && rm -rf /var/lib/apt/lists/* /var/cache/* /var/log/*
COPY --from=build /build/sidecar-cpp/build/release/tandem-engine /build/sidecar-cpp/build/release/tandem-loader /usr/local/bin/
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
