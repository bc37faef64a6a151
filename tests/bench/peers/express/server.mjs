// The four routes of resmgr-agent as a competent developer would write them with Express, pg,
// jsonwebtoken and dockerode: one process, the key parsed once, a pool of connections with named
// (prepared) statements, pages by key, nothing that production does not need.
//
// Environment: NODE_ENV=production, PORT, KEY_FILE (HS256), PGHOST (a socket's directory), PGUSER,
// PGDATABASE. Prints the port once it listens.
import { createSecretKey, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import Docker from 'dockerode';
import express from 'express';
import jwt from 'jsonwebtoken';
import pg from 'pg';

const key = createSecretKey(readFileSync(process.env.KEY_FILE));
const pool = new pg.Pool({ max: 10 });
const docker = new Docker({ socketPath: '/var/run/docker.sock' });
const services = {
  hello: {
    Image: 'resmgr/hello:latest',
    port: '8080/tcp',
    probe: '/',
    HostConfig: {
      NanoCpus: 250_000_000,
      Memory: 32 << 20,
      MemorySwap: 32 << 20,
      PidsLimit: 32,
      ShmSize: 1 << 20,
      ReadonlyRootfs: true,
      CapDrop: ['ALL'],
      SecurityOpt: ['no-new-privileges'],
      Init: true,
    },
  },
};

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const columns = `id, user_id, service_type, container_id, port, start_time, stop_time,
  extract(epoch FROM duration)::float8 AS seconds, status, host, usage_hash`;
const statements = {
  one: `SELECT ${columns} FROM tasks WHERE id = $1`,
  first: `SELECT ${columns} FROM tasks ORDER BY start_time DESC, id DESC`,
  next: `SELECT ${columns} FROM tasks WHERE (start_time, id) < ($1, $2)
    ORDER BY start_time DESC, id DESC`,
  firstOwn: `SELECT ${columns} FROM tasks WHERE user_id = $1
    ORDER BY start_time DESC, id DESC`,
  nextOwn: `SELECT ${columns} FROM tasks WHERE user_id = $3 AND (start_time, id) < ($1, $2)
    ORDER BY start_time DESC, id DESC`,
  insert: `INSERT INTO tasks (id, user_id, service_type, start_time, status, host)
    VALUES ($1, $2, $3, now(), 'Starting', 'bench')`,
  started: `UPDATE tasks SET container_id = $2, port = $3, start_time = $4, status = 'Running'
    WHERE id = $1 RETURNING ${columns}`,
  stopped: `UPDATE tasks SET stop_time = $2, duration = $2 - start_time, status = 'Stopped'
    WHERE id = $1 AND stop_time IS NULL RETURNING ${columns}`,
};

async function query(name, ...values) {
  return (await pool.query({ name, text: statements[name], values })).rows;
}

// A statement for each size of a page: with a limit that is a parameter PostgreSQL makes its plan anew
// each time, for it can't tell whether the index is worth it.
async function page(name, limit, ...values) {
  const text = `${statements[name]} LIMIT ${limit}`;
  return (await pool.query({ name: `${name}${limit}`, text, values })).rows;
}

function toTask(row) {
  return {
    taskId: row.id,
    userId: row.user_id,
    serviceType: row.service_type,
    containerId: row.container_id,
    containerPort: row.port,
    host: row.host,
    startTime: row.start_time,
    stopTime: row.stop_time,
    duration: row.seconds === null ? null : `PT${row.seconds}S`,
    durationSeconds: row.seconds,
    status: row.status,
    usageHash: row.usage_hash,
  };
}

function authenticate(request, response, next) {
  const [scheme, token] = (request.headers.authorization ?? '').split(' ');
  try {
    if (scheme !== 'Bearer') throw new Error('there is no token');
    const claims = jwt.verify(token, key, { algorithms: ['HS256'] });
    request.caller = { id: claims.sub, admin: claims.role === 'admin' };
  } catch {
    response.set('WWW-Authenticate', 'Bearer error="invalid_token"');
    response.status(401).json({ title: 'Unauthorized' });
    return;
  }
  next();
}

function maySee(caller, row) {
  return row !== undefined && (caller.admin || row.user_id === caller.id);
}

async function answers(port, path) {
  return new Promise((resolve) => {
    const asked = http.get({ port, path, agent: false }, (answer) => {
      answer.resume();
      resolve(answer.statusCode < 400);
    });
    asked.on('error', () => resolve(false));
  });
}

async function untilReady(port, path) {
  for (let pause = 10; !(await answers(port, path)); pause = Math.min(2 * pause, 50)) {
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}

const app = express();
app.disable('x-powered-by');
app.disable('etag');
app.set('query parser', 'simple');
app.use('/api', authenticate);

app.get('/api/tasks/:id', async (request, response) => {
  const { id } = request.params;
  const [row] = uuid.test(id) ? await query('one', id) : [];
  if (!maySee(request.caller, row)) return response.status(404).json({ title: 'Not Found' });
  response.json(toTask(row));
});

app.get('/api/tasks', async (request, response) => {
  const limit = Math.min(Math.max(Math.trunc(request.query.limit) || 100, 1), 500);
  const cursor = request.query.cursor;
  const after = cursor ? JSON.parse(Buffer.from(cursor, 'base64url').toString()) : [];
  const own = request.caller.admin ? '' : 'Own';
  const user = request.caller.admin ? [] : [request.caller.id];
  const rows = await page((cursor ? 'next' : 'first') + own, limit + 1, ...after, ...user);
  if (rows.length > limit) {
    rows.pop();
    const last = rows[rows.length - 1];
    const next = Buffer.from(JSON.stringify([last.start_time, last.id])).toString('base64url');
    response.links({ next: `/api/tasks?limit=${limit}&cursor=${next}` });
  }
  response.json(rows.map(toTask));
});

app.post('/api/tasks', express.json({ limit: '64kb' }), async (request, response) => {
  const { serviceType, userId = request.caller.id } = request.body ?? {};
  const service = services[serviceType];
  if (service === undefined) return response.status(400).json({ title: 'Bad Request' });
  if (userId !== request.caller.id && !request.caller.admin) {
    return response.status(403).json({ title: 'Forbidden' });
  }
  const id = randomUUID();
  await query('insert', id, userId, serviceType);
  const { port, probe, ...spec } = service;
  const container = await docker.createContainer({
    ...spec,
    name: `express-bench-${id}`,
    Labels: { 'express-bench': id },
    ExposedPorts: { [port]: {} },
    HostConfig: {
      ...spec.HostConfig,
      PortBindings: { [port]: [{ HostIp: '127.0.0.1', HostPort: '' }] },
    },
  });
  await container.start();
  const state = await container.inspect();
  const hostPort = Number(state.NetworkSettings.Ports[port][0].HostPort);
  await untilReady(hostPort, probe);
  const [row] = await query('started', id, container.id, hostPort, state.State.StartedAt);
  response.status(201).location(`/api/tasks/${id}`).json(toTask(row));
});

app.delete('/api/tasks/:id', async (request, response) => {
  const [row] = uuid.test(request.params.id) ? await query('one', request.params.id) : [];
  if (!maySee(request.caller, row)) return response.status(404).json({ title: 'Not Found' });
  let ended = row;
  if (row.stop_time === null) {
    const container = docker.getContainer(row.container_id);
    await container.stop({ t: 1 });
    const state = await container.inspect();
    await container.remove();
    [ended] = await query('stopped', row.id, state.State.FinishedAt);
  }
  response.json({ success: true, duration: `PT${ended.seconds}S`, durationSeconds: ended.seconds });
});

const server = http.createServer(app);
server.keepAliveTimeout = 60_000;
server.listen(Number(process.env.PORT ?? 0), '127.0.0.1', 1024, () => {
  console.log(server.address().port);
});
