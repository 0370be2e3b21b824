-- POST /influence on the digits demo. usage: wrk -s influence.lua URL -- MIX SEED
--   same      every request is the same
--   rotating  the test rotates over the 400 of digits-test
--   fresh     it rotates, and each time round takes a seed that was never asked before: nothing that was kept can answer it
dofile("report.lua")

local threads = {}

function setup(thread)
    table.insert(threads, thread)
end

function init(arguments)
    mix, seed = arguments[1], tonumber(arguments[2])
    count, refused, other = 0, 0, 0
    wrk.method = "POST"
    wrk.headers["Content-Type"] = "application/json"
    if mix == "same" then same = wrk.format(nil, nil, nil, body(26, "")) end
end

function body(index, solver)
    return string.format('{"model": "digits", "tests": [{"dataset": "digits-test", "index": %d}], "k": 5%s}', index, solver)
end

function request()
    if same then return same end
    local solver = ""
    if mix == "fresh" then
        solver = string.format(', "solver": {"name": "lissa", "seed": %d}', seed + math.floor(count / 400))
    end
    local text = wrk.format(nil, nil, nil, body(count % 400, solver))
    count = count + 1
    return text
end

function response(status)
    if status == 429 or status == 503 then
        refused = refused + 1
    elseif status ~= 200 then
        other = other + 1
    end
end

function done(summary, latency, requests)
    local refusals, others = 0, 0
    for _, thread in ipairs(threads) do
        refusals = refusals + thread:get("refused")
        others = others + thread:get("other")
    end
    report(summary, latency, refusals, others)
end
