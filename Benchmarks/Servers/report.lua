-- Prints what wrk measured as one line of numbers:
-- answers per second that were good, p50 and p99 in microseconds, good, refused (429 and 503), other statuses, socket errors.
-- `health.lua` and `influence.lua` build on it.

function report(summary, latency, refused, other)
    local errors = summary.errors
    local good = summary.requests - refused - other
    io.write(string.format("RESULT %.1f %d %d %d %d %d %d\n",
        good / (summary.duration / 1e6), latency:percentile(50), latency:percentile(99), good, refused, other,
        errors.connect + errors.read + errors.write + errors.timeout))
end
