# A static binary in an empty image: no shell, no package manager, no user but a
# number. It needs no write access outside /data.
#
#   docker build --build-arg VERSION=1.2.3 --build-arg COMMIT="$(git rev-parse HEAD)" -t esagate .
#   docker run --read-only --cap-drop ALL -p 8080:8080 \
#     -v ./config.yaml:/etc/esagate/config.yaml:ro -v esagate:/data \
#     -e SALES_AGENT_API_KEY -e ESAGATE_STOREFRONT_KEY \
#     -e ESAGATE_ENCRYPTION_KEY esagate
#
# .ci/dockerfile-check holds what is copied here against the tree, .dockerignore and
# the imports; .ci/empty-root runs the same binary in an empty root folder.

FROM --platform=$BUILDPLATFORM golang:1.26.11-bookworm AS build
WORKDIR /build

# First what changes seldom, so that a change of code fetches no module again.
COPY go.mod go.sum ./
RUN go mod download

COPY api ./api
COPY cmd ./cmd
COPY gateway ./gateway
COPY internal ./internal
COPY registry ./registry
COPY snapshot ./snapshot
COPY status ./status
COPY transform ./transform
COPY upstream ./upstream
COPY .ci/build ./.ci/build

ARG VERSION=dev
ARG COMMIT
ARG TARGETOS
ARG TARGETARCH
RUN GOOS=$TARGETOS GOARCH=$TARGETARCH .ci/build /out/esagate "$VERSION" "$COMMIT"
RUN mkdir /out/data

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /out/esagate /esagate
COPY --from=build --chown=65532:65532 /out/data /data

# Loopback would be reachable from nowhere in here.
ENV ESAGATE_SERVER_ADDRESS=0.0.0.0:8080
EXPOSE 8080

# A relative path of the store (sqlite://esagate.db) lies in the volume too.
WORKDIR /data
VOLUME /data
USER 65532:65532
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s CMD ["/esagate", "health"]
ENTRYPOINT ["/esagate"]
CMD ["serve", "--config", "/etc/esagate/config.yaml"]
