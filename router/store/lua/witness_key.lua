-- The witness is a key that a test's clock sets.

function T.witness(t)
  return tonumber(redis.call('GET', T.key(t, 'witness')) or '0')
end
