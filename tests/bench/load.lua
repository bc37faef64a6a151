-- For wrk: GET requests that cost the client next to nothing to make, and a line of JSON in the end.
--
-- Environment: BENCH_TOKENS, a file with a token a line; BENCH_IDS, one with an id (36 characters) a
-- line, or none, and then the path is always the same; BENCH_PATH, to which the id is added;
-- BENCH_DELAY, milliseconds that a connection waits on average before each request.

local path = os.getenv('BENCH_PATH')
local delay_ms = tonumber(os.getenv('BENCH_DELAY') or '0')
local ids, ids_count
local heads = {}
local line = 37

local function whole_file(name)
  local file = assert(io.open(name, 'rb'))
  local text = file:read('*a')
  file:close()
  return text
end

local threads = {}

function setup(thread)
  thread:set('number', #threads + 1)
  table.insert(threads, thread)
end

function init()
  math.randomseed(os.time() * 64 + number)
  if os.getenv('BENCH_IDS') then
    ids = whole_file(os.getenv('BENCH_IDS'))
    ids_count = math.floor(#ids / line)
  end
  for token in whole_file(os.getenv('BENCH_TOKENS')):gmatch('%S+') do
    table.insert(heads, ' HTTP/1.1\r\nHost: ' .. wrk.host .. '\r\nAuthorization: Bearer ' .. token ..
      '\r\n\r\n')
  end
end

function request()
  local head = heads[math.random(#heads)]
  if not ids then return 'GET ' .. path .. head end
  local at = math.random(0, ids_count - 1) * line
  return 'GET ' .. path .. ids:sub(at + 1, at + line - 1) .. head
end

-- wrk waits after each answer; evenly spread, so that the connections do not march in step.
if delay_ms > 0 then
  function delay() return math.random(0, 2 * delay_ms) end
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '\nBENCH {"rate": %.3f, "p50": %.4f, "p90": %.4f, "p99": %.4f, "max": %.4f, "bytes": %.1f, ' ..
      '"failed": %d}\n',
    summary.requests / summary.duration * 1e6, latency:percentile(50) / 1e3,
    latency:percentile(90) / 1e3, latency:percentile(99) / 1e3, latency.max / 1e3,
    summary.bytes / math.max(summary.requests, 1),
    errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
