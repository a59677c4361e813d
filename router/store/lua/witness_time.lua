-- The witness is the server's clock: asked when a caller's clock looks skewed, never stored.

function T.witness()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end
