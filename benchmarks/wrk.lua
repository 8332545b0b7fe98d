-- Sends whole requests from a file, chosen at random; `########` in one becomes a counter of the same length.
local requests, counter, thread = {}, 0, nil
busy = 0

function setup(made)
  thread = made
end

function init(arguments)
  math.randomseed(11)
  local file = assert(io.open(arguments[1], "rb"))
  for text in file:read("*a"):gmatch("([^\1]+)") do
    requests[#requests + 1] = text
  end
  file:close()
  if arguments[2] == "polite" then
    -- Who is told to come again later does so, as a good client would. Looking at answers costs wrk some speed,
    -- so it is done only where it matters.
    local wait = 0
    response = function(status, headers)
      wait = status == 503 and 1000 * tonumber(headers["Retry-After"] or 1) or 0
      busy = busy + (status == 503 and 1 or 0)
    end
    delay = function()
      local told = wait
      wait = 0
      return told
    end
  end
end

function request()
  counter = counter + 1
  return (requests[math.random(#requests)]:gsub("########", string.format("%08d", counter), 1))
end

function done(summary, latency)
  local e = summary.errors
  io.write(string.format(
    "READING %d %d %d %d %d %.6f %.3f %.3f\n",
    summary.requests, e.status - thread:get("busy"), thread:get("busy"), e.connect + e.read + e.write, e.timeout,
    summary.duration / 1e6, latency:percentile(50) / 1000, latency:percentile(99) / 1000))
end
