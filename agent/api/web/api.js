// The agent's REST API.

// Relative to this file, so that a proxy may put the agent behind a path.
const base = new URL('../api/', import.meta.url);

export class ApiError extends Error {
  // `problem` as RFC 9457 has it; status 0: no answer came.
  constructor(status, problem = {}) {
    super(problem.detail ?? problem.title ?? `The agent answered with status ${status}.`);
    this.status = status;
    this.problem = problem;
  }
}

export class Api {
  #token;
  #skew = 0; // of the agent's clock against ours, in ms
  onRefused = () => {}; // is called with the error when the token is not taken

  constructor(token) {
    this.#token = token;
  }

  // The time by the agent's clock, which is the one that tasks go by.
  now() {
    return Date.now() + this.#skew;
  }

  // The answer as it came, if it was a good one. Throws ApiError, or AbortError.
  async send(method, path, { query = {}, body, headers = {}, signal } = {}) {
    const url = new URL(path, base);
    for (const [name, value] of Object.entries(query)) {
      if (value != null && value !== '') url.searchParams.set(name, value);
    }
    const options = {
      method,
      signal,
      headers: { Authorization: `Bearer ${this.#token}`, ...headers },
    };
    if (body !== undefined) {
      options.body = JSON.stringify(body);
      options.headers['Content-Type'] = 'application/json';
    }
    const response = await fetch(url, options).catch((error) => {
      if (error.name === 'AbortError') throw error;
      throw new ApiError(0, {
        title: 'The agent does not answer',
        detail:
          'It may be restarting, or the network may be down. This page tries again by itself.',
      });
    });
    this.#readClock(response);
    if (response.ok) return response;
    const error = new ApiError(response.status, await response.json().catch(() => ({})));
    if (error.status === 401) this.onRefused(error);
    throw error;
  }

  async get(path, options) {
    return (await this.send('GET', path, options)).json();
  }

  // One page of the list: {tasks, cursor of the next one, position of the journal before it}.
  async #taskPage(query) {
    const response = await this.send('GET', 'tasks', { query });
    const link = response.headers.get('Link') ?? '';
    return {
      tasks: await response.json(),
      // The link may name the agent by another address than ours: its cursor is all we take.
      cursor: /[?&]cursor=([^&>]+)[^>]*>; rel="next"/.exec(link)?.[1],
      position: {
        journal: response.headers.get('Journal-Id'),
        seq: Number(response.headers.get('Journal-Seq')),
      },
    };
  }

  // All active tasks and the `count` that ended last, and where the journal stood before: events
  // after that bring it up to date.
  async tasks(count) {
    const ended = await this.#taskPage({ status: 'Stopped,Error', limit: count });
    const tasks = ended.tasks;
    let cursor;
    do {
      const page = await this.#taskPage({
        status: 'Starting,Running,Stopping',
        limit: 500,
        cursor,
      });
      tasks.push(...page.tasks);
      cursor = page.cursor;
    } while (cursor);
    return { tasks, position: ended.position };
  }

  task(id, options) {
    return this.get(`tasks/${encodeURIComponent(id)}`, options);
  }

  // Returns at once, with the task as it begins to start.
  async start(serviceType) {
    const response = await this.send('POST', 'tasks', {
      body: { serviceType },
      headers: { Prefer: 'respond-async', 'Idempotency-Key': randomKey() },
    });
    return response.json();
  }

  async stop(id) {
    return (await this.send('DELETE', `tasks/${encodeURIComponent(id)}`)).json();
  }

  // The header has whole seconds: less than two are no skew.
  #readClock(response) {
    const theirs = Date.parse(response.headers.get('Date') ?? '');
    const skew = theirs - Date.now();
    if (!Number.isNaN(skew)) this.#skew = Math.abs(skew) < 2000 ? 0 : skew;
  }

  // What WebSocket takes: the token is offered as a protocol, which no log shows.
  liveSocket({ journal, seq }) {
    const url = new URL('live', base);
    url.protocol = url.protocol.replace('http', 'ws');
    url.searchParams.set('since', seq);
    url.searchParams.set('journal', journal);
    return new WebSocket(url, ['resmgr.v1', `resmgr.bearer.${this.#token}`]);
  }
}

// crypto.randomUUID() is not there on plain HTTP.
function randomKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
