// What happens, as it happens: over a WebSocket, and where none can be had (there are proxies that
// let none through) by asking for the list every few seconds.

const kPollMs = 3000;
const kFirstWaitMs = 1000;
const kLongestWaitMs = 30000;
const kTooSlow = 1013; // nothing is lost, and there is nothing to wait for
const kTokenExpired = 4401;

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// Half of it fixed and half at random: who were cut off together don't come back together.
const jittered = (ms) => ms / 2 + (Math.random() * ms) / 2;

// It goes on for as long as the page is there.
export class Live {
  #api;
  #load;
  #listener;
  #position; // the journal, and the number of its last event that we know of
  #socket;
  #failures = 0;
  #reconnectTimer;
  #polling; // an object of its own for each time that it is begun

  // `load()` fetches everything and returns the journal's position before that. The listener has
  //   onEvent(event)          something happened after that
  //   onProgress(task)        a start has come further; while there are no messages the load tells
  //   onResync()              what is known is of another journal, or too old; it is loaded again
  //   onState(state, error)   'live', 'polling' or 'away'
  //   onExpired()             the token has run out
  constructor(api, load, listener) {
    this.#api = api;
    this.#load = load;
    this.#listener = listener;
    document.addEventListener('visibilitychange', this.#wake);
    window.addEventListener('online', this.#wake);
  }

  async start() {
    while (!(await this.#reload())) await sleep(kPollMs);
    this.#connect();
  }

  get #isOpen() {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  #connect() {
    const socket = this.#api.liveSocket(this.#position);
    this.#socket = socket;
    let heard = false;
    socket.addEventListener('open', () => {
      this.#polling = undefined;
      this.#listener.onState('live');
    });
    socket.addEventListener('message', ({ data }) => {
      heard = true;
      this.#failures = 0;
      this.#receive(JSON.parse(data));
    });
    socket.addEventListener('close', ({ code }) => this.#closed(code, heard));
  }

  #receive(event) {
    if (event.type === 'task.progress') {
      this.#listener.onProgress(event.task); // it has no number: nobody can go on from there
      return;
    }
    if (event.type !== 'resync') {
      this.#position.seq = event.seq;
      this.#listener.onEvent(event);
      return;
    }
    this.#position = { journal: event.journal, seq: event.seq };
    this.#resync();
  }

  async #resync() {
    this.#listener.onResync();
    while (!(await this.#reload())) await sleep(kPollMs);
  }

  #closed(code, heard) {
    if (code === kTokenExpired) {
      this.#listener.onExpired();
    } else if (code === kTooSlow && heard) {
      this.#connect();
    } else {
      const wait = Math.min(kFirstWaitMs * 2 ** this.#failures, kLongestWaitMs);
      this.#failures += 1;
      this.#reconnectTimer = setTimeout(() => this.#connect(), jittered(wait));
      if (!this.#polling) this.#poll();
    }
  }

  async #poll() {
    const mine = {};
    this.#polling = mine;
    while (this.#polling === mine) {
      if (!document.hidden) await this.#reload();
      await sleep(kPollMs);
    }
  }

  // Whether it was loaded. With an open connection, the state is the connection's to tell.
  async #reload() {
    let state = 'polling';
    let fault;
    try {
      const position = await this.#load();
      const isOther = position.journal !== this.#position?.journal;
      if (isOther || position.seq > this.#position.seq) this.#position = position;
    } catch (error) {
      state = 'away';
      fault = error;
    }
    if (!this.#isOpen) this.#listener.onState(state, fault);
    return !fault;
  }

  // After a sleep, or in another network, the connection may be dead without having said so.
  #wake = () => {
    if (!document.hidden && this.#position) this.#reload();
  };
}
