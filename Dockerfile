# Two stages: the tools that build stay behind, the image that runs has the program and the libraries it needs.
FROM debian:bookworm-slim AS build
WORKDIR /src
COPY deploy/install deploy/install
RUN deploy/install build
COPY Makefile ./
COPY service service
COPY api api
COPY migrations migrations
RUN make -j2 build/tandem && strip build/tandem

FROM debian:bookworm-slim
RUN apt-get -qq update \
	&& DEBIAN_FRONTEND=noninteractive apt-get -qq install --no-install-recommends \
		libmicrohttpd12 libcurl4 libjson-c5 libpq5 libsodium23 libutf8proc2 libyaml-0-2 libssl3 ca-certificates >/dev/null \
	&& rm -rf /var/lib/apt/lists/* \
	&& useradd --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin --uid 10001 tandem
COPY --from=build /src/build/tandem /usr/local/bin/tandem
USER 10001
ENV TANDEM_LISTEN=:8080
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s --retries=3 CMD ["tandem", "check", "--ready"]
ENTRYPOINT ["tandem"]
CMD ["serve"]
