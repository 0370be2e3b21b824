# syntax=docker/dockerfile:1

FROM swift:6.2-bookworm AS build
RUN apt-get update -q \
    && DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends \
        libblas-dev liblapack-dev libopenblas0-pthread libsqlite3-dev zlib1g-dev \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY Package.swift ./
COPY Sources Sources
COPY Tests Tests
RUN swift build -c release --product influenced --static-swift-stdlib \
    && mkdir -p /install/bin \
    && cp "$(swift build -c release --static-swift-stdlib --show-bin-path)/influenced" /install/bin/ \
    && strip /install/bin/influenced \
    && cp -r "$(swift build -c release --static-swift-stdlib --show-bin-path)"/influenced_Demo.resources /install/bin/

FROM debian:bookworm-slim
RUN apt-get update -q \
    && DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends \
        libopenblas0-pthread libblas3 liblapack3 libsqlite3-0 zlib1g \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --no-create-home --home-dir /data --shell /usr/sbin/nologin influenced \
    && install -d -o influenced -g influenced /data
COPY --from=build /install/bin /opt/influenced/bin
COPY Config/default.json /etc/influenced/default.json
USER influenced
# The demo, until a store of one's own is mounted at /data.
RUN ["/opt/influenced/bin/influenced", "demo", "--store", "/data/store.sqlite"]
VOLUME /data
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s CMD ["/bin/bash", "-c", \
    "exec 3<>/dev/tcp/127.0.0.1/8080 && printf 'GET /health/ready HTTP/1.0\\r\\n\\r\\n' >&3 && head -n 1 <&3 | grep -q ' 200 '"]
ENTRYPOINT ["/opt/influenced/bin/influenced"]
CMD ["serve", "--store", "/data/store.sqlite", "--host", "0.0.0.0", "--config", "/etc/influenced/default.json"]
