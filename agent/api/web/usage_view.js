// How much was used, by day, service and user.
import { BarChart } from './charts.js';
import { byId, element, setText } from './dom.js';
import { formatBytes, formatDay, formatDayOfYear, formatDuration, formatNumber } from './format.js';
import { clearFault, showFault } from './notices.js';

const kDayMs = 86_400_000;
const kRefreshMs = 500; // what ends together is asked for once

// How a sum is drawn, given the largest one, and how it is written.
const timeUnit = (most) => {
  if (most < 120) return { unit: 'seconds', perUnit: 1 };
  if (most < 7200) return { unit: 'minutes', perUnit: 60 };
  return { unit: 'hours', perUnit: 3600 };
};
const kMeasures = {
  seconds: { unitFor: timeUnit, text: formatDuration },
  cpuSeconds: { unitFor: timeUnit, text: formatDuration },
  tasks: { unitFor: () => ({ unit: 'tasks', perUnit: 1 }), text: formatNumber },
};

const dayOf = (time) => new Date(time).toISOString().slice(0, 10);
const tasksText = (count) => `${formatNumber(count)} ${count === 1 ? 'task' : 'tasks'}`;

// The days from the first to the last, also those on which nothing ran.
function daysBetween(first, last) {
  const days = [];
  for (let time = Date.parse(first); time <= Date.parse(last); time += kDayMs)
    days.push(dayOf(time));
  return days;
}

export function usageView(session) {
  const { api, store } = session;
  const groups = [
    {
      by: 'day',
      heading: 'Day',
      member: 'day',
      name: formatDay,
      label: formatDayOfYear,
      chart: new BarChart('By day'),
    },
    {
      by: 'service',
      heading: 'Service',
      member: 'serviceType',
      name: session.titleOf,
      chart: new BarChart('By service', { across: true }),
    },
    {
      by: 'user',
      heading: 'User',
      member: 'userId',
      name: (id) => store.nameOf(id),
      chart: new BarChart('By user', { across: true }),
      adminOnly: true,
    },
  ].filter(({ adminOnly }) => session.isAdmin || !adminOnly);
  byId('usage-charts').append(...groups.map(({ chart }) => chart.node));
  let isShown = false;
  let timer;
  let asked = 0;

  function setRange() {
    const days = Number(byId('usage-range').value);
    for (const id of ['usage-from', 'usage-to']) byId(id).disabled = days > 0;
    if (days === 0) return;
    byId('usage-from').value = dayOf(api.now() - (days - 1) * kDayMs);
    byId('usage-to').value = dayOf(api.now());
  }

  const range = () => ({ first: byId('usage-from').value, last: byId('usage-to').value });
  const query = (groupBy) => {
    const { first, last } = range();
    return {
      groupBy,
      from: `${first}T00:00:00Z`,
      to: new Date(Date.parse(last) + kDayMs).toISOString(),
    };
  };

  // One by one: a task that runs over midnight counts on both days, and once in all other sums.
  async function read() {
    if (!byId('usage-form').reportValidity()) return;
    const mine = (asked += 1);
    try {
      const answers = await Promise.all(
        ['', ...groups.map(({ by }) => by)].map((by) => api.get('usage', { query: query(by) })),
      );
      if (mine !== asked) return; // another range was chosen meanwhile
      clearFault(byId('usage-fault'));
      const [[total], ...sums] = answers;
      showTotal(total);
      await Promise.all(groups.map((group, index) => showGroup(group, sums[index])));
    } catch (error) {
      if (mine === asked) showFault(byId('usage-fault'), error);
    }
  }

  function showTotal(total) {
    const isEmpty = !total || total.tasks === 0;
    byId('usage-empty').hidden = !isEmpty;
    byId('usage-charts').hidden = isEmpty;
    setText(
      byId('usage-total'),
      isEmpty
        ? ''
        : `${tasksText(total.tasks)} ran for ${formatDuration(total.seconds)} in all, and took ` +
            `${formatDuration(total.cpuSeconds)} of CPU time.`,
    );
  }

  // A bar for every day, also for those on which nothing ran; the table has the others alone.
  function barsOf(by, sums) {
    const measure = byId('usage-measure').value;
    if (by !== 'day') return [...sums].sort((a, b) => b[measure] - a[measure]);
    const known = new Map(sums.map((sum) => [sum.day, sum]));
    const { first, last } = range();
    return daysBetween(first, last).map((day) => known.get(day) ?? { day, [measure]: 0 });
  }

  function showGroup({ by, heading, member, name, label = name, chart }, sums) {
    const measure = byId('usage-measure').value;
    const { unitFor, text } = kMeasures[measure];
    const { unit, perUnit } = unitFor(Math.max(...sums.map((sum) => sum[measure])));
    const bars = barsOf(by, sums);
    return chart.show({
      unit,
      bars: bars.map((sum) => ({
        label: label(sum[member]),
        value: sum[measure] / perUnit,
        text: text(sum[measure]),
      })),
      columns: [heading, 'Tasks', 'Time', 'CPU time', 'Peak memory'],
      rows: bars
        .filter(({ tasks }) => tasks > 0)
        .map((sum) => [
          name(sum[member]),
          formatNumber(sum.tasks),
          formatDuration(sum.seconds),
          formatDuration(sum.cpuSeconds),
          formatBytes(sum.peakMemoryBytes),
        ]),
    });
  }

  async function saveCsv() {
    try {
      const response = await api.send('GET', 'usage', {
        query: query(groups.map(({ by }) => by).join()),
        headers: { Accept: 'text/csv' },
      });
      const url = URL.createObjectURL(await response.blob());
      const { first, last } = range();
      element('a', { href: url, download: `usage-${first}-${last}.csv` }).click();
      URL.revokeObjectURL(url);
    } catch (error) {
      showFault(byId('usage-fault'), error);
    }
  }

  byId('usage-form').addEventListener('change', () => {
    setRange();
    read();
  });
  byId('usage-form').addEventListener('submit', (event) => event.preventDefault());
  byId('usage-csv').addEventListener('click', saveCsv);
  store.addEventListener('change', () => {
    if (!isShown) return;
    clearTimeout(timer);
    timer = setTimeout(read, kRefreshMs);
  });

  return {
    show(parts, { isFirst }) {
      isShown = true;
      byId('usage').hidden = false;
      document.title = 'Usage – resmgr';
      if (!isFirst) byId('usage-heading').focus();
      setRange();
      read();
    },
    hide() {
      isShown = false;
      byId('usage').hidden = true;
    },
  };
}
