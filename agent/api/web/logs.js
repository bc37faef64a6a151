// A container's output, as it comes.
import { byId, element, setText } from './dom.js';

const kTail = 1000;
// Older text goes, so that a chatty service does not fill the browser.
const kMostCharacters = 1_000_000;

export class LogReader {
  #api;
  #abort;
  #text = byId('logs-text');

  constructor(api) {
    this.#api = api;
    byId('logs-follow').addEventListener('change', () => this.#scroll());
  }

  // Reads until the log ends, or close().
  async open(taskId) {
    this.close();
    const abort = new AbortController();
    this.#abort = abort;
    this.#text.replaceChildren();
    this.#say('Reading…');
    try {
      const response = await this.#api.send('GET', `tasks/${encodeURIComponent(taskId)}/logs`, {
        query: { follow: 1, tail: kTail },
        signal: abort.signal,
      });
      this.#say('What it prints from now on comes here by itself.');
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      for (;;) {
        const { value, done } = await reader.read();
        if (done) break;
        this.#append(value);
      }
      this.#say(this.#text.hasChildNodes() ? 'The log ends here.' : 'It printed nothing.');
    } catch (error) {
      if (abort.signal.aborted) return;
      const again = element('button', { type: 'button' }, 'Read again');
      again.addEventListener('click', () => this.open(taskId));
      const cause = error.problem?.detail ?? 'the connection was lost';
      byId('logs-state').replaceChildren(`The log can't be read: ${cause}. `, again);
    }
  }

  close() {
    this.#abort?.abort();
  }

  #say(text) {
    setText(byId('logs-state'), text);
  }

  #append(text) {
    this.#text.append(text);
    let length = this.#text.textContent.length;
    while (length > kMostCharacters && this.#text.childNodes.length > 1) {
      length -= this.#text.firstChild.length;
      this.#text.firstChild.remove();
    }
    this.#scroll();
  }

  #scroll() {
    if (byId('logs-follow').checked) this.#text.scrollTop = this.#text.scrollHeight;
  }
}
