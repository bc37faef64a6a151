// Prism as a proxy before an agent: what asks for its URL gets the agent's answers, with the header
// `sl-violations` where a request or an answer is not as the description has it.
//
// Usage: prism.mjs DESCRIPTION AGENT_URL
import { load } from './modules.mjs';

const [description, agent] = process.argv.slice(2);

// Standard output is for the URL, which Prism tells among other things.
const print = process.stdout.write.bind(process.stdout);
process.stdout.write = (text, ...rest) => {
  const told = /Prism is listening on (\S+)/.exec(text);
  if (told) print(`${told[1]}\n`);
  return process.stderr.write(text, ...rest);
};

// Without --errors the agent is asked in any case, and answers for itself.
const options = ['--host', '127.0.0.1', '--port', '0', '--no-cors'];
process.argv.splice(2, Infinity, 'proxy', ...options, description, agent);
await load('@stoplight/prism-cli');
