-- One GET, prepared by wrk itself; wrk counts the statuses of 400 and above.
dofile("report.lua")

function done(summary, latency, requests)
    report(summary, latency, 0, summary.errors.status)
end
