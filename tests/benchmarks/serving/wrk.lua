-- wrk's part of load.py: `wrk … --script wrk.lua URL -- BODIES` sends the lines of the file BODIES in turn; the last line of its output is
-- JSON. Requests are put together before the load begins.
local requests = {}
local next_one = 0

function init(arguments)
    for line in io.lines(arguments[1]) do
        requests[#requests + 1] = wrk.format("POST", nil, { ["Content-Type"] = "application/json" }, line)
    end
end

function request()
    next_one = next_one % #requests + 1
    return requests[next_one]
end

function done(summary, latency)
    local errors = summary.errors
    print(string.format(
        '{"requests": %d, "statuses": %d, "lost": %d, "seconds": %.6f, "p50": %.4f, "p99": %.4f}',
        summary.requests, errors.status, errors.connect + errors.read + errors.write + errors.timeout,
        summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3))
end
