# syntax=docker/dockerfile:1
# gw502-lint in a small image with a shell and git, which CI systems need.
#
#   docker build -t gw502-lint .
#   docker run --rm -v "$PWD:/work:ro" gw502-lint conf/

FROM rust:1.88-alpine AS source
RUN apk add --no-cache gcc musl-dev
WORKDIR /source
COPY . .
RUN cargo build --release --locked

# A release puts a folder with finished programs in the place of this stage (build context `binaries`).
FROM scratch AS binaries
ARG TARGETARCH
COPY --from=source /source/target/release/gw502-lint /${TARGETARCH}/gw502-lint

FROM alpine:3.22
ARG TARGETARCH
LABEL org.opencontainers.image.source="https://github.com/gw502/gw502-lint" \
      org.opencontainers.image.description="A linter for reverse-proxy configuration" \
      org.opencontainers.image.licenses="MIT OR Apache-2.0"
# Git says what a branch has changed. The repository belongs to whoever mounts it.
RUN apk add --no-cache git && git config --system --add safe.directory '*'
COPY --from=binaries /${TARGETARCH}/gw502-lint /usr/local/bin/gw502-lint
USER nobody
WORKDIR /work
ENTRYPOINT ["/usr/local/bin/gw502-lint"]
