// Numbers and times as people read them.

const dateTime = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' });
const time = new Intl.DateTimeFormat(undefined, { timeStyle: 'medium' });
const day = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeZone: 'UTC' });
const dayOfYear = new Intl.DateTimeFormat(undefined, {
  month: 'short',
  day: 'numeric',
  timeZone: 'UTC',
});
const number = new Intl.NumberFormat(undefined, { maximumFractionDigits: 1 });

export const formatNumber = (value) => number.format(value);
export const formatDay = (text) => day.format(new Date(`${text}T00:00:00Z`));
export const formatDayOfYear = (text) => dayOfYear.format(new Date(`${text}T00:00:00Z`));

// With its day unless that is today.
export function formatTime(text) {
  const when = new Date(text);
  const isToday = when.toDateString() === new Date().toDateString();
  return (isToday ? time : dateTime).format(when);
}

export function formatDuration(seconds) {
  if (seconds < 10) return `${number.format(Math.max(seconds, 0))} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 48 * 60) return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
  return `${number.format(seconds / 86400)} days`;
}

export function formatBytes(bytes) {
  const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit + 1 < units.length) {
    value /= 1024;
    unit += 1;
  }
  return `${number.format(value)} ${units[unit]}`;
}

// The end of a task's id tells it apart; its beginning is the time. The command shows the same.
export const shortId = (taskId) => taskId.slice(-12);
