'use strict';
// The service on Express, for either ORM: tokens, limits, validation, headers, one log line a request.

const cluster = require('node:cluster');
const crypto = require('node:crypto');
const bcrypt = require('bcrypt');
const cors = require('cors');
const express = require('express');
const helmet = require('helmet');
const Redis = require('ioredis');
const jwt = require('jsonwebtoken');
const pino = require('pino');
const pinoHttp = require('pino-http');
const { RateLimiterRedis } = require('rate-limiter-flexible');
const { z } = require('zod');

const { JWT_SECRET, PORT, RATE_LIMIT, REDIS_URL, WORKERS } = process.env;
const REFRESH_SECONDS = 14 * 86400;

const Name = z.string().trim().min(1).max(255);
const Description = z.string().max(10000).nullable().optional();
const ProjectCreate = z.object({ name: Name, description: Description });
const ProjectUpdate = z
  .object({ name: Name.optional(), description: Description, version: z.int().optional() })
  .refine((told) => told.name !== undefined || told.description !== undefined);
const Proof = z.object({ email: z.email().max(320), password: z.string().min(1).max(128) });
const PageQuery = z.object({
  limit: z.coerce.number().int().min(1).max(100).default(20),
  cursor: z.string().optional(),
});
const Key = z.uuid();

class Refused extends Error {
  constructor(status) {
    super(String(status));
    this.status = status;
  }
}

function checked(schema, value, status = 422) {
  const result = schema.safeParse(value);
  if (!result.success) throw new Refused(status);
  return result.data;
}

function shown(row) {
  return {
    id: row.id, name: row.name, description: row.description, owner_id: row.ownerId,
    created_at: row.createdAt, updated_at: row.updatedAt, version: row.version,
  };
}

function place(cursor) {
  const [when, key] = Buffer.from(cursor, 'base64url').toString().split('|');
  const moment = new Date(when);
  if (Number.isNaN(moment.getTime())) throw new Refused(422);
  return { when: moment, key: checked(Key, key) };
}

function signedIn(req, res, next) {
  const [scheme, token] = (req.headers.authorization ?? '').split(' ');
  try {
    const claims = jwt.verify(scheme === 'Bearer' ? token : '', JWT_SECRET, { algorithms: ['HS256'] });
    if (!claims.sub || !claims.exp || !claims.jti || !claims.sid) throw new Refused(401);
    req.user = claims.sub;
  } catch {
    throw new Refused(401);
  }
  next();
}

function log() {
  return pinoHttp({
    logger: pino({ base: null }, pino.destination({ dest: 1, sync: false, minLength: 4096 })),
    genReqId: (req, res) => {
      const given = req.headers['x-request-id'];
      const id = given && /^[A-Za-z0-9._-]{1,64}$/.test(given) ? given : crypto.randomUUID();
      res.setHeader('X-Request-ID', id);
      return id;
    },
    serializers: {
      req: (req) => ({ id: req.id, method: req.method, url: req.url, address: req.remoteAddress }),
      res: (res) => ({ status: res.statusCode }),
    },
    customProps: (req) => ({ user: req.user }),
  });
}

function application(store, redis) {
  const limited = (route, who) => {
    const window = new RateLimiterRedis({
      storeClient: redis, keyPrefix: `limit:${route}`, points: Number(RATE_LIMIT), duration: 60,
    });
    return async (req, res, next) => {
      try {
        await window.consume(who(req));
      } catch (refused) {
        throw refused instanceof Error ? refused : new Refused(429);
      }
      next();
    };
  };
  const mine = (route) => [signedIn, limited(route, (req) => req.user)];
  const api = express.Router();

  api.get('/healthz', (req, res) => res.json({ status: 'ok' }));
  api.post('/auth/login', limited('sign-in', (req) => req.ip), async (req, res) => {
    const { email, password } = checked(Proof, req.body);
    const user = await store.account(email.toLowerCase());
    if (!user || !(await bcrypt.compare(password, user.passwordHash)) || !user.isActive) throw new Refused(401);
    const access = jwt.sign({ sid: crypto.randomUUID() }, JWT_SECRET, {
      algorithm: 'HS256', subject: user.id, jwtid: crypto.randomUUID(), expiresIn: 900,
    });
    const refresh = crypto.randomBytes(32).toString('base64url');
    const digest = crypto.createHash('sha256').update(refresh).digest('hex');
    await redis.set(`refresh:${digest}`, user.id, 'EX', REFRESH_SECONDS);
    res.json({ access_token: access, refresh_token: refresh });
  });
  api.get('/projects', mine('list'), async (req, res) => {
    const { limit, cursor } = checked(PageQuery, req.query);
    const rows = await store.page(req.user, limit + 1, cursor === undefined ? null : place(cursor));
    const items = rows.slice(0, limit);
    const last = rows.length > limit ? items[limit - 1] : null;
    res.json({
      items: items.map(shown),
      next_cursor: last && Buffer.from(`${last.createdAt.toISOString()}|${last.id}`).toString('base64url'),
    });
  });
  api.get('/projects/:key', mine('get'), async (req, res) => {
    const row = await store.one(checked(Key, req.params.key, 404), req.user);
    if (!row) throw new Refused(404);
    res.json(shown(row));
  });
  api.post('/projects', mine('create'), async (req, res) => {
    res.status(201).json(shown(await store.create(req.user, checked(ProjectCreate, req.body))));
  });
  api.patch('/projects/:key', mine('change'), async (req, res) => {
    const { version, ...changes } = checked(ProjectUpdate, req.body);
    const key = checked(Key, req.params.key, 404);
    const row = await store.change(key, req.user, version, changes);
    if (!row) throw new Refused(version !== undefined && (await store.one(key, req.user)) ? 409 : 404);
    res.json(shown(row));
  });

  const app = express();
  app.set('etag', false);
  app.set('trust proxy', 'loopback');
  app.use(log(), helmet(), cors({ origin: ['https://app.bench.example'] }), express.json({ limit: '1mb' }));
  app.use('/api/v1', api);
  app.use(() => {
    throw new Refused(404);
  });
  // Express knows a handler of errors by its four parameters.
  app.use((error, req, res, _next) => {
    const status = error.status ?? 500;
    if (status === 500) req.log.error(error);
    res.status(status).json({ status, request_id: req.id });
  });
  return app;
}

// `open` gives the store of this process: account, page, one, create, change.
exports.serve = async function serve(open) {
  if (cluster.isPrimary) {
    for (let number = 0; number < Number(WORKERS); number += 1) cluster.fork();
    process.on('SIGTERM', () => {
      for (const worker of Object.values(cluster.workers)) worker.kill('SIGTERM');
      process.exit(0);
    });
    return;
  }
  const server = application(await open(), new Redis(REDIS_URL)).listen(Number(PORT), '127.0.0.1');
  server.keepAliveTimeout = 75000;
  process.on('SIGTERM', () => process.exit(0));
};
