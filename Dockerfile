# Built from a clone: docker build -t keystow . (docs/deploying.md). CI runs these very steps without an
# engine (.ci/dockerfile-steps), so only instructions that it knows are used.

FROM node:22-bookworm-slim AS build
WORKDIR /app
# No package needs its install script: classic-level brings its binaries, and the slim image no compiler.
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json ./
COPY shared shared
COPY server server
COPY console console
RUN npm run build

FROM node:22-bookworm-slim
WORKDIR /app
COPY package.json package-lock.json LICENSE ./
# Fails here, and not at the first start, where classic-level has no binary for the platform.
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund \
    && npm cache clean --force \
    && node --eval "require('classic-level')"
COPY --from=build /app/dist dist
RUN chmod 644 package.json LICENSE \
    && chmod 755 dist/server/cli/keystow.js \
    && ln -s /app/dist/server/cli/keystow.js /usr/local/bin/keystow \
    && install -d -o 1000 -g 1000 -m 700 /data

ENV NODE_ENV=production
ENV DATA_DIR=/data/store
ENV TLS_CERT=/data/certs/server.crt
ENV TLS_KEY=/data/certs/server.key

# By number, so that an orchestrator can tell that it is not root.
USER 1000:1000
# The client commands look for certs/server.crt here: `docker exec` needs no --ca.
WORKDIR /data
VOLUME ["/data"]
EXPOSE 6375
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --start-interval=1s --retries=3 CMD ["keystow", "health"]
ENTRYPOINT ["keystow"]
CMD ["serve"]
