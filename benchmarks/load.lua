-- For wrk: one kind of request (post, patch, get, list or page) over random products and sites.
--   wrk -t1 -c8 -d10s -s benchmarks/load.lua http://127.0.0.1:8000 -- KIND KEY [PRODUCTS] [SEED]
-- The same requests as benchmarks/peers/statements.py has for pgbench: SITES, NAMED and the body
-- must agree. Ends with one line of JSON; "bad" counts answers that are not 2xx.

local SITES, NAMED = 20, 10000
local kind, key, products

function init(args)
  kind, key, products = args[1], args[2], tonumber(args[3] or 45000)
  math.randomseed(tonumber(args[4] or os.time()))
  wrk.headers["Authorization"] = "Bearer " .. key
  wrk.headers["Content-Type"] = "application/json"
end

local BODY = '{"productMasterId":"prod_%d","locationId":"loc_%d","minQuantity":%d,'
  .. '"reorderQuantity":%d,"maxQuantity":%d.5,"status":"Supported","abcClass":"A",'
  .. '"expectedLeadTimeDays":7,"replenishmentPeriodDays":14,"forecastPeriodDays":30,'
  .. '"forecastQuantity":200,"preferredBinLocationId":"bin_%d_1",'
  .. '"replenishmentLocationId":"sup_1","comments":"High priority item"}'

local PATH = "/api/inventory-levels"

local requests = {
  post = function()
    local site, least = math.random(SITES), math.random(400)
    local body = BODY:format(math.random(products), site, least, least + 20, least + 200, site)
    return wrk.format("POST", PATH, nil, body)
  end,
  patch = function()
    local least = math.random(400)
    local body = '{"minQuantity":%d,"reorderQuantity":%d,"maxQuantity":%d.5}'
    local path = PATH .. "/level_bench_" .. math.random(NAMED)
    return wrk.format("PATCH", path, nil, body:format(least, least + 20, least + 200))
  end,
  get = function()
    return wrk.format("GET", PATH .. "/level_bench_" .. math.random(NAMED))
  end,
  list = function()
    return wrk.format("GET", PATH .. "?cursor=&limit=100&locationId=loc_" .. math.random(SITES))
  end,
  page = function()
    return wrk.format("GET", PATH .. "?limit=100&page=1&locationId=loc_" .. math.random(SITES))
  end,
}

function request()
  return requests[kind]()
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '{"requests": %d, "seconds": %.3f, "p50_ms": %.3f, "p99_ms": %.3f, '
      .. '"bad": %d, "lost": %d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3,
    latency:percentile(99) / 1e3, errors.status,
    errors.connect + errors.read + errors.write + errors.timeout))
end
