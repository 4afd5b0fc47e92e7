-- Sends the requests of a file in turn. A line is: method, path, body in hexadecimal digits, parted by tabs.
-- Arguments: the file, and the first of the numbers that replace the 16 marks in a request.
local marks = string.rep("@", 16)
local requests, sent, first = {}, 0, 0

local function bytes(digits)
  return (digits:gsub("%x%x", function(pair) return string.char(tonumber(pair, 16)) end))
end

function init(arguments)
  first = tonumber(arguments[2])
  for line in io.lines(arguments[1]) do
    local method, path, body = line:match("^(%S+)\t(%S+)\t(%x*)$")
    local text = wrk.format(method, path, nil, #body > 0 and bytes(body) or nil)
    requests[#requests + 1] = { text = text, numbered = text:find(marks, 1, true) ~= nil }
  end
end

function request()
  sent = sent + 1
  local number = first + sent
  local chosen = requests[number % #requests + 1]
  if chosen.numbered then
    return (chosen.text:gsub(marks, string.format("%016d", number)))
  end
  return chosen.text
end

function done(summary, latency)
  local errors = summary.errors
  local failed = errors.connect + errors.read + errors.write + errors.timeout
  io.write(string.format(
    '\n{"requests": %d, "seconds": %.3f, "bytes": %d, "errors": %d, "p50": %.3f, "p95": %.3f, "p99": %.3f, "max": %.3f}\n',
    summary.requests, summary.duration / 1e6, summary.bytes, errors.status + failed,
    latency:percentile(50) / 1e3, latency:percentile(95) / 1e3, latency:percentile(99) / 1e3, latency.max / 1e3
  ))
end
