// A foreign client of Seq, which logs to URL with KEY, and obeys the level that the server imposes.
//
// Usage: node serilogger_client.mjs URL KEY
import { setTimeout as sleep } from 'node:timers/promises';

import { load } from './modules.mjs';

const [url, apiKey] = process.argv.slice(2);
const serilogger = await load('serilogger');
const { DynamicLevelSwitch, LogEventLevel, LoggerConfiguration, SeqSink } =
  serilogger.default ?? serilogger;

// What it sent is on its way for as long as an answer is to come.
const answers = [];
const fetchIt = globalThis.fetch;
globalThis.fetch = (...request) => {
  const answer = fetchIt(...request);
  answers.push(answer.then((response) => response.status));
  return answer;
};

// It sends when it likes.
const sent = async (count) => {
  while (answers.length < count) await sleep(10);
  return Promise.all(answers);
};

const levelSwitch = new DynamicLevelSwitch();
const logger = new LoggerConfiguration()
  .minLevel(levelSwitch)
  .writeTo(new SeqSink({ url, apiKey, compact: true, levelSwitch }))
  .create();

logger.info('Task {TaskId} started for {UserId}', 'abc', 'ada');
logger.warn('Task {TaskId} took {Millis} ms', 'abc', 215);
logger.error(new Error('boom'), 'Task {TaskId} failed', 'abc');
const refused = (await sent(3)).some((status) => status !== 201);
while (!refused && levelSwitch.isEnabled(LogEventLevel.information)) await sleep(10);
logger.info('Below the level: {Number}', 1);
logger.warn('At the level: {Number}', 2);
console.log(JSON.stringify(await sent(refused ? 5 : 4)));
process.exit(0);
