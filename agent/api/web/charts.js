// Sums as bars, and the same as a table for who can't see them.
import { element } from './dom.js';

// Where names stand beside the bars, more could not be told apart; the table has all.
const kMostNames = 20;
const kLongestName = 16;

let loading;

// Chart.js, once it is wanted. It knows no modules, and puts itself beside the globals.
async function chartLibrary() {
  loading ??= import('./chart.js');
  await loading;
  return globalThis.Chart;
}

function colours() {
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue(name).trim();
  return { bar: colour('--accent'), text: colour('--faint'), line: colour('--line') };
}

const shortened = (name) =>
  name.length > kLongestName ? `${name.slice(0, kLongestName - 1)}…` : name;

export class BarChart {
  #title;
  #across; // bars from left to right, with a name beside each
  #canvas = element('canvas', { role: 'img' });
  #frame = element('div', { class: 'canvas' }, this.#canvas);
  #table = element('table');
  #chart;
  #shown;

  constructor(title, { across = false } = {}) {
    this.#title = title;
    this.#across = across;
    const label = `${title}, as a table`;
    this.node = element(
      'figure',
      { class: 'chart' },
      element('figcaption', {}, title),
      this.#frame,
      element(
        'details',
        {},
        element('summary', {}, 'The same as a table'),
        element(
          'div',
          { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': label },
          this.#table,
        ),
      ),
    );
    // A canvas does not follow the style sheet.
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
      if (this.#shown) this.#draw(this.#shown);
    });
  }

  // bars: [{label, value, text}], unit: of the values; columns: headings, rows: [[text]].
  async show(wanted) {
    this.#shown = wanted;
    this.#fillTable(wanted);
    await this.#draw(wanted);
  }

  #fillTable({ columns, rows }) {
    const headings = columns.map((text) => element('th', { scope: 'col' }, text));
    const lines = rows.map(([name, ...values]) =>
      element(
        'tr',
        {},
        element('th', { scope: 'row' }, name),
        ...values.map((text) => element('td', {}, text)),
      ),
    );
    this.#table.replaceChildren(
      element('thead', {}, element('tr', {}, ...headings)),
      element('tbody', {}, ...lines),
    );
  }

  async #draw(wanted) {
    const Chart = await chartLibrary();
    if (wanted !== this.#shown) return; // there is something newer
    const bars = this.#across ? wanted.bars.slice(0, kMostNames) : wanted.bars;
    this.#canvas.setAttribute(
      'aria-label',
      `${this.#title}: ${bars.length} bars. The table below has the numbers.`,
    );
    this.#frame.style.height = this.#across ? `${bars.length * 28 + 60}px` : '240px';
    this.#chart?.destroy();
    this.#chart = new Chart(this.#canvas, this.#configuration(bars, wanted.unit));
  }

  #configuration(bars, unit) {
    const { bar, text, line } = colours();
    const values = {
      beginAtZero: true,
      grid: { color: line },
      ticks: { color: text, maxTicksLimit: 6 },
      title: { display: true, text: unit, color: text },
    };
    const names = { grid: { display: false }, ticks: { color: text, maxRotation: 0 } };
    return {
      type: 'bar',
      data: {
        labels: bars.map(({ label }) => shortened(label)),
        datasets: [
          { data: bars.map(({ value }) => value), backgroundColor: bar, maxBarThickness: 36 },
        ],
      },
      options: {
        indexAxis: this.#across ? 'y' : 'x',
        animation: false,
        maintainAspectRatio: false,
        scales: this.#across ? { x: values, y: names } : { x: names, y: values },
        plugins: {
          legend: { display: false },
          tooltip: { callbacks: { label: ({ dataIndex }) => bars[dataIndex].text } },
        },
      },
    };
  }
}
