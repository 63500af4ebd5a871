# stalesweep in a container. Without arguments it runs `start`; any other command of the CLI may follow:
#     docker run --rm -e REDIS_URL=redis://host:6379 stalesweep run --dry-run
# There is no redis-server in here, so REDIS_URL must be set.

FROM node:20.20.2-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts
COPY tsconfig.json tsconfig.build.json tsconfig.types.json ./
COPY src ./src
COPY workers ./workers
RUN npm run build

# "optional" goes too: it would bring the TypeScript compiler back, as some library's optional peer. What else is lost
# is a native decoder of msgpackr, which then decodes in JavaScript.
FROM node:20.20.2-bookworm-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --omit=optional --ignore-scripts

FROM node:20.20.2-bookworm-slim
ENV NODE_ENV=production
# As many threads for V8's compiler and collector as there are cores to spare, not always four: on a small machine they would
# take turns with a Redis that runs beside them. (https://nodejs.org/api/cli.html#--v8-pool-sizenum)
ENV NODE_OPTIONS=--v8-pool-size=0
WORKDIR /app
COPY --from=dependencies /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
COPY package.json ./
COPY lua ./lua
COPY --from=build /app/src/pages/assets ./src/pages/assets
# For whoever has a shell in here, as the runbooks say it.
RUN chmod +x dist/src/cli/main.js && ln -s /app/dist/src/cli/main.js /usr/local/bin/stalesweep
USER node
EXPOSE 3000

# docker build --build-arg REVISION="$(git rev-parse HEAD)" --build-arg SOURCE=https://… .
ARG REVISION=""
ARG SOURCE=""
LABEL org.opencontainers.image.title="stalesweep" \
  org.opencontainers.image.description="Finds coordinators whose heartbeat stopped and removes everything they left in Redis, and nothing else." \
  org.opencontainers.image.version="0.1.0" \
  org.opencontainers.image.licenses="MIT" \
  org.opencontainers.image.base.name="docker.io/library/node:20.20.2-bookworm-slim" \
  org.opencontainers.image.revision="$REVISION" \
  org.opencontainers.image.source="$SOURCE"

# A dashboard answers on its port, a worker only when it has a metrics port; either proves that the process lives.
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --retries=3 \
  CMD ["node", "-e", "\
    const { STALESWEEP_METRICS_PORT: metrics, STALESWEEP_PORT: own } = process.env; \
    const ask = async (port) => { if (!(await fetch('http://127.0.0.1:' + port + '/healthz')).ok) throw port; }; \
    Promise.any([metrics, own || 3000].filter(Boolean).map(ask)).then(() => process.exit(0), () => process.exit(1));"]

ENTRYPOINT ["node", "dist/src/cli/main.js"]
CMD ["start"]
