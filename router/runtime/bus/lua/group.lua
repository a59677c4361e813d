-- Groups: leases say who is alive, epochs who may commit. A partition has at most one owner, and an owner
-- that was robbed of it finds another epoch there, whenever it wakes.

local function owned(member, epoch)
  return epoch .. ' ' .. member
end

local function drop_member(members, owners, member)
  redis.call('ZREM', members, member)
  local all = redis.call('HGETALL', owners)
  for at = 1, #all, 2 do
    if string.match(all[at + 1], ' (.*)$') == member then
      redis.call('HDEL', owners, all[at])
    end
  end
end

-- Members whose lease has run out go; their partitions are free. True when there were any.
local function drop_expired(members, owners, member, now, lease_ms)
  -- After the clock was set back, the leases of the dead would lie far ahead.
  local ahead = redis.call('ZRANGE', members, '(' .. integer(now + 4 * lease_ms), '+inf', 'BYSCORE', 'LIMIT', 0, LIMIT)
  for _, other in ipairs(ahead) do
    redis.call('ZADD', members, integer(now + lease_ms), other)
  end
  local gone = redis.call('ZRANGE', members, '-inf', '(' .. integer(now), 'BYSCORE', 'LIMIT', 0, LIMIT)
  local dropped = false
  for _, other in ipairs(gone) do
    if other ~= member then
      drop_member(members, owners, other)
      dropped = true
    end
  end
  return dropped
end

-- The run of partitions that is this member's: [first, last).
local function share_of(members, member, partitions)
  local names = redis.call('ZRANGE', members, 0, -1)
  table.sort(names) -- a member's name begins with the number of its joining
  for place, name in ipairs(names) do
    if name == member then
      return math.floor((place - 1) * partitions / #names) + 1, math.floor(place * partitions / #names)
    end
  end
end

-- join: the number of a new member. KEYS: joins.
local function join(keys)
  return redis.call('INCR', keys[1])
end

-- sync: renew the lease, drop the dead, take what is free of one's share; says what one owns.
-- KEYS: members, owners, wake, groups, upkeep, epoch; then each topic's cursors.
-- ARGV: group, member, lease in ms; then each topic's name and number of partitions.
-- Returns the last id of wake; then for each partition owned: topic (from 1), number, epoch, cursor, and
-- 1 when it must be given up.
local function sync(keys, args)
  local members, owners, wake, group, member = keys[1], keys[2], keys[3], args[1], args[2]
  local now = now_ms()
  local changed = drop_expired(members, owners, member, now, tonumber(args[3]))
  changed = not redis.call('ZSCORE', members, member) or changed
  redis.call('ZADD', members, integer(now + tonumber(args[3])), member)
  redis.call('ZADD', keys[4], redis.call('HGET', keys[5], 'age_ms') or '0', group)
  local all = {}
  for at = 4, #args, 2 do
    for number = 0, tonumber(args[at + 1]) - 1 do
      all[#all + 1] = { topic = at / 2 - 1, number = number, name = args[at] .. '/' .. number }
    end
  end
  local first, last = share_of(members, member, #all)
  local found, result = {}, {}
  local flat = redis.call('HGETALL', owners)
  for at = 1, #flat, 2 do
    found[flat[at]] = flat[at + 1]
  end
  for place, partition in ipairs(all) do
    local mine = place >= first and place <= last
    local cursors, field = keys[6 + partition.topic], partition.number .. '/' .. group
    local owner = found[partition.name]
    if mine and not owner then
      owner = owned(member, integer(redis.call('INCR', keys[6])))
      redis.call('HSET', owners, partition.name, owner)
      redis.call('HSETNX', cursors, field, '0')
    end
    local epoch, name = string.match(owner or '', '^(%d+) (.*)$')
    if name == member then
      local cursor = redis.call('HGET', cursors, field) or '0'
      result[#result + 1] = { partition.topic, partition.number, epoch, cursor, mine and 0 or 1 }
    end
  end
  if changed then
    tell_group(wake)
  end
  local newest = redis.call('XREVRANGE', wake, '+', '-', 'COUNT', 1)[1]
  table.insert(result, 1, newest and newest[1] or '0-0')
  return result
end

-- release: give up partitions that are owned under these epochs.
-- KEYS: owners, wake. ARGV: member; then each partition's name and epoch.
local function release(keys, args)
  for at = 2, #args, 2 do
    if redis.call('HGET', keys[1], args[at]) == owned(args[1], args[at + 1]) then
      redis.call('HDEL', keys[1], args[at])
    end
  end
  tell_group(keys[2])
end

-- leave: be no member any more. KEYS: members, owners, wake. ARGV: member.
local function leave(keys, args)
  drop_member(keys[1], keys[2], args[1])
  tell_group(keys[3])
end

-- commit: move cursors on, where the epoch is still the owner's.
-- KEYS: owners; then each topic's cursors.
-- ARGV: group, member; then for each partition: topic (from 1), its name, number, epoch, next offset.
-- Returns 1 or 0 for each.
local function commit(keys, args)
  local taken = {}
  for at = 3, #args, 5 do
    local holds = redis.call('HGET', keys[1], args[at + 1]) == owned(args[2], args[at + 3])
    if holds then
      local cursors, field = keys[1 + tonumber(args[at])], args[at + 2] .. '/' .. args[1]
      if tonumber(args[at + 4]) > tonumber(redis.call('HGET', cursors, field) or '0') then
        redis.call('HSET', cursors, field, args[at + 4])
      end
    end
    taken[#taken + 1] = holds and 1 or 0
  end
  return taken
end

-- expire_group: forget a group that nobody has used since an age.
-- KEYS: members, owners, wake, groups; then each topic's cursors.
-- ARGV: group, age in ms; then each topic's number of partitions. Returns 1 when it was forgotten.
local function expire_group(keys, args)
  local age_ms = redis.call('ZSCORE', keys[4], args[1])
  if not age_ms or tonumber(age_ms) > tonumber(args[2]) then
    return 0
  end
  for topic = 1, #keys - 4 do
    for number = 0, tonumber(args[2 + topic]) - 1 do
      redis.call('HDEL', keys[4 + topic], number .. '/' .. args[1])
    end
  end
  redis.call('DEL', keys[1], keys[2], keys[3])
  redis.call('ZREM', keys[4], args[1])
  return 1
end
