package cluster

import "github.com/redis/go-redis/v9"

// A tenant has two keys: a hash with what is known of it, and its lease. The fields of the hash, times in microseconds
// of Redis' own clock:
//
//	f e b   format of what follows, its epoch, when it was asked for
//	a r d   a document: its own time, when it was received, itself
//	t s     until when it is fresh; likewise for an older answer that was dropped
//	g h     an error that says that there is no such tenant, and until when that counts
//	x y z   an error of a fetch that failed, when, and until when nobody tries again
//	v w     its format and flags
//	q       somebody waits for the holder of the lease
//
// Numbers are written by string.format: Lua's own way keeps 14 digits. What is at these keys and is not ours is none.
//
// Redis' clock may be set back, as by a failover. What is of a time to come is then moved into the past until none of it
// is fresh, or holds anything back: how old it is nobody knows, but which document is the newest stays known.
const scriptHead = `
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local names = {'f', 'e', 'b', 'a', 'r', 'd', 't', 's', 'g', 'h', 'x', 'y', 'z', 'v', 'w', 'q'}
local h = {}
local function ours(value, key)
  if type(value) ~= 'table' or not value.err then return value end
  redis.call('DEL', key)
end
local function read()
  for i, value in ipairs(ours(redis.pcall('HMGET', KEYS[1], unpack(names)), KEYS[1]) or {}) do h[names[i]] = value end
end
local function n(name)
  local x = tonumber(h[name] or 0) or 0
  return math.abs(x) < 9007199254740992 and x or 0
end
local function arg(i) return tonumber(ARGV[i]) end
local function whole(x) return string.format('%.0f', x) end
local function text(name) return h[name] and #h[name] <= 1048576 and h[name] or '' end
local function known(lease, stored, tell, have_at, have_received)
  local body = text('d')
  if h.a and n('a') == have_at and n('r') == have_received then body = '' end
  return {lease, stored, tell, h.a and 1 or 0, n('a'), n('r'), n('f'), n('e'), now - n('r'), now - n('b'), n('t') - now,
    n('s') - now, body, text('x'), now - n('y'), n('z') - now, n('w'), text('g'), n('h') - now}
end
local function live(till)
  local left = math.ceil((till - now) / 1000)
  if left > redis.call('PTTL', KEYS[1]) then redis.call('PEXPIRE', KEYS[1], whole(left)) end
end
local holder = ours(redis.pcall('GET', KEYS[2]), KEYS[2])
local mine = holder and holder == ARGV[1]
read()
if math.max(n('b'), n('r'), n('y')) > now then
  local ahead = math.max(n('b'), n('r'), n('y'), n('t'), n('s'), n('h'), n('z')) - now
  for _, name in ipairs({'b', 'r', 'y', 't', 's', 'h', 'z'}) do
    if h[name] then
      h[name] = whole(n(name) - ahead)
      redis.call('HSET', KEYS[1], name, h[name])
    end
  end
end
`

// lookScript: token, the lease's milliseconds, the stamp that is here (two), format, epoch, since when expired, since
// when retried.
var lookScript = redis.NewScript(scriptHead + `
local lease = 0
if holder then lease = mine and 1 or 2 end
if ARGV[1] ~= '' and lease ~= 1 then
  local answered = n('f') == arg(5) and n('e') >= arg(6) and (arg(7) < 0 or now - n('b') < arg(7)) and
    (h.a and math.max(n('t'), n('s')) > now or h.g and n('h') > now)
  local failing = h.x and n('v') == arg(5) and n('z') > now and (arg(8) < 0 or now - n('y') < arg(8))
  if lease == 2 then
    redis.call('HSET', KEYS[1], 'q', '1')
    live(now + arg(2) * 1000)
    local left = redis.call('PTTL', KEYS[2])
    if left < 0 or left > arg(2) then redis.call('PEXPIRE', KEYS[2], ARGV[2]) end
  elseif not answered and not failing then
    redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[2], 'NX')
    lease = 1
  end
end
return known(lease, 0, 0, arg(3), arg(4))
`)

// renewScript: token, the lease's milliseconds.
var renewScript = redis.NewScript(`
local holder = redis.call('GET', KEYS[2])
if not holder or holder == ARGV[1] then redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[2]) end
return {}
`)

// publishScript: token, format, the document's own time, epoch, how long ago it was asked for, how long it is fresh,
// lifetime, document, how long ago it was received.
//
// An older document counts as an answer, as in one cache. While there is a fresh one, which others serve without looking, a
// newer one is published only by the holder of the lease that has asked since: the fresh one was not good enough for it.
var publishScript = redis.NewScript(scriptHead + `
local at, epoch, fresh, received = arg(3), arg(4), now + arg(6), now - arg(9)
local there = h.a and n('r') + arg(7) > now
local served = there and math.max(n('t'), n('s')) > now
local stored, tell = 0, h.q and 1 or 0
if there and (at < n('a') or at == n('a') and epoch < n('e')) then
  if mine and n('f') == arg(2) then
    redis.call('HSET', KEYS[1], 's', whole(fresh), 'e', whole(math.max(epoch, n('e'))), 'b', whole(now - arg(5)))
  end
elseif not (served and n('e') >= epoch) or mine and now - arg(5) >= n('r') then
  stored = 1
  if served or n('z') > now then tell = 1 end
  redis.call('DEL', KEYS[1])
  redis.call('HSET', KEYS[1], 'f', ARGV[2], 'e', ARGV[4], 'b', whole(now - arg(5)), 'a', ARGV[3], 'r', whole(received), 'd', ARGV[8],
    't', whole(fresh))
  live(received + arg(7))
end
if stored == 0 then redis.call('HDEL', KEYS[1], 'q') end
if mine then redis.call('DEL', KEYS[2]) end
read()
return known(0, stored, tell, stored == 1 and at or -1, n('r'))
`)

// endScript: token, format, epoch, how long ago it was asked, the error that says that there is no such tenant or "", for
// how long; and of a failure its error, for how long, flags.
var endScript = redis.NewScript(scriptHead + `
local tell = 0
if mine then
  redis.call('DEL', KEYS[2])
  if h.q then
    tell = 1
    redis.call('HDEL', KEYS[1], 'q')
  end
  if ARGV[5] ~= '' then
    redis.call('DEL', KEYS[1])
    redis.call('HSET', KEYS[1], 'f', ARGV[2], 'e', ARGV[3], 'b', whole(now - arg(4)), 'g', ARGV[5], 'h', whole(now + arg(6)))
    live(now + arg(6))
  elseif ARGV[7] then
    redis.call('HSET', KEYS[1], 'x', ARGV[7], 'y', whole(now), 'z', whole(now + arg(8)), 'v', ARGV[2], 'w', ARGV[9])
    live(now + arg(8))
  end
end
read()
return known(0, 0, tell, -1, -1)
`)
