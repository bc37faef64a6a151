// A BlockchainService: writes the hash of each usage record to an EVM chain, once for each
// Idempotency-Key, and answers with the transaction. What it knows of earlier keys is on the chain,
// so that it may be killed at any moment.
//
// Usage: blockchain_service.mjs CHAIN_URL [PORT]
// PUT /behaviour {status?, before?, after?, die?, known?, token?} says how it does from now on:
//   status  answers that, and writes nothing
//   before  waits so many milliseconds before it writes
//   after   … after it wrote, before it answers
//   die     ends once it wrote, without an answer
//   known   the status of its answer for a key that it has written before (200)
//   token   wants that
import { createHash } from 'node:crypto';
import { load } from './modules.mjs';

const { default: express } = await load('express');
const [chain, port = '0'] = process.argv.slice(2);
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

let calls = 0;
async function ask(method, ...params) {
  const answer = await fetch(chain, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ jsonrpc: '2.0', id: ++calls, method, params }),
  });
  const { result, error } = await answer.json();
  if (error) throw new Error(`${method}: ${error.message}`);
  return result;
}

const [account] = await ask('eth_accounts');
const written = new Map(); // key -> transaction
let read = -1; // the last block that `written` has

async function readChain() {
  const head = Number(await ask('eth_blockNumber'));
  for (let number = read + 1; number <= head; number += 1) {
    const block = await ask('eth_getBlockByNumber', `0x${number.toString(16)}`, true);
    for (const { input, hash } of block.transactions) {
      written.set(input.slice(2), { txHash: hash, blockNumber: number });
    }
    read = number;
  }
}

async function write(key) {
  const txHash = await ask('eth_sendTransaction', { from: account, to: account, data: `0x${key}` });
  for (;;) {
    const receipt = await ask('eth_getTransactionReceipt', txHash);
    if (receipt) return { txHash, blockNumber: Number(receipt.blockNumber) };
    await sleep(5);
  }
}

// Such services take a falsy member for a missing one.
const required = ['containerId', 'containerName', 'memoryMB', 'cpuUsage', 'timestamp',
  'user_email', 'user_fullname'];

// The bytes of the member are the ones that were hashed.
function faultOf(key, text) {
  const { usageHash, record, ...rest } = JSON.parse(text);
  const missing = required.find((name) => !rest[name]);
  if (missing) return `${missing} is required`;
  if (key !== usageHash) return 'the key is another hash';
  const bytes = text.slice(text.indexOf('"record":') + 9, text.indexOf(',"containerId"'));
  const hash = createHash('sha256').update(bytes).digest('hex');
  if (hash !== usageHash || JSON.parse(bytes).taskId !== record.taskId) return 'not its hash';
  return undefined;
}

let behaviour = {};
const underWay = new Map(); // key -> promise: a key that comes again waits for the first one

const app = express();
app.put('/behaviour', express.json(), (request, response) => {
  behaviour = request.body;
  response.json(behaviour);
});

app.post('/api/metrics', express.text({ type: 'application/json' }), async (request, response) => {
  const { status, before = 0, after = 0, die, known = 200, token } = behaviour;
  if (token && request.get('Authorization') !== `Bearer ${token}`) {
    return response.status(401).json({ error: 'who are you' });
  }
  if (status) return response.status(status).json({ error: 'as it was told' });
  const key = request.get('Idempotency-Key');
  const fault = faultOf(key, request.body);
  if (fault) return response.status(400).json({ error: fault });
  await sleep(before);
  if (underWay.has(key)) await underWay.get(key);
  await readChain();
  const old = written.get(key);
  if (!old) {
    const writing = write(key);
    underWay.set(key, writing);
    written.set(key, await writing);
    underWay.delete(key);
    if (die) process.kill(process.pid, 'SIGKILL');
    await sleep(after);
  }
  response.status(old ? known : 201)
    .json({ success: true, data: { usageHash: key, blockchain: written.get(key) } });
});

const server = app.listen(Number(port), '127.0.0.1', () => {
  console.log(`http://127.0.0.1:${server.address().port}`);
});
