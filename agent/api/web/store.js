// What is known of the tasks, brought up to date by whole lists and by single events, which may
// come in any order.

const kEndedKept = 30;
const kActive = new Set(['Starting', 'Running', 'Stopping']);

export const isActive = (task) => kActive.has(task.status);

const newestFirst = (a, b) => (a.taskId < b.taskId ? 1 : -1);

// Fires 'change', and 'progress' with the task as its detail.
export class TaskStore extends EventTarget {
  #entries = new Map(); // id -> {task, seq}: as it was at that number of the journal, or later
  #users = new Map(); // id -> {fullName, email}, where an admin was told

  static endedKept = kEndedKept;

  get(id) {
    return this.#entries.get(id)?.task;
  }
  active() {
    return this.#all().filter(isActive);
  }
  ended() {
    return this.#all()
      .filter((task) => !isActive(task))
      .slice(0, kEndedKept);
  }
  // Their name, where it is known.
  nameOf(userId) {
    const user = this.#users.get(userId);
    return user?.fullName || user?.email || userId;
  }

  // What isn't in a new list is gone, unless an event told of it after the list was made.
  replace(tasks, seq) {
    const entries = new Map(tasks.map((task) => [task.taskId, { task, seq }]));
    for (const [id, entry] of this.#entries) {
      if (entry.seq > seq) entries.set(id, entry);
    }
    this.#entries = entries;
    for (const { userId, user } of tasks) if (user) this.#users.set(userId, user);
    this.#changed();
  }

  // The task as the event left it. Whether that was news.
  apply(task, seq) {
    if (seq <= (this.#entries.get(task.taskId)?.seq ?? 0)) return false;
    this.#entries.set(task.taskId, { task, seq });
    this.#changed();
    return true;
  }

  // Of a start; nothing is kept of it.
  tellProgress(task) {
    this.dispatchEvent(new CustomEvent('progress', { detail: task }));
  }

  // The journal is another one: its numbers can't be compared.
  forget() {
    this.#entries.clear();
  }

  #all() {
    return [...this.#entries.values()].map(({ task }) => task).sort(newestFirst);
  }
  #changed() {
    this.dispatchEvent(new Event('change'));
  }
}
