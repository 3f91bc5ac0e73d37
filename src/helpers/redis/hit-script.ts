/**
 * `HitCounter` as a Redis script: the ticks of a window are fields of a hash. A script runs atomically, so the count is exact.
 *
 * KEYS: the key. ARGV: window in seconds, limit, `hit` or `peek`. Returns the count and the milliseconds until the oldest tick leaves the
 * window.
 *
 * @module
 */
import { TICKS } from '../../process/hit-counter.ts';

/** Lua, for Redis 5 and later. */
export const HIT_SCRIPT: string = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local length = ARGV[1] * 1000 / ${TICKS}
local tick = math.floor(now / length)
local total, oldest = 0, tick
local marks = redis.call('HGETALL', KEYS[1])
for i = 1, #marks, 2 do
  local at = tonumber(marks[i])
  if at + ${TICKS} < tick then
    redis.call('HDEL', KEYS[1], marks[i])
  else
    total = total + marks[i + 1]
    if at < oldest then oldest = at end
  end
end
local ms = math.ceil((oldest + ${TICKS + 1}) * length - now)
if ARGV[3] == 'peek' then return { total, total > 0 and ms or 0 } end
if total < tonumber(ARGV[2]) then
  redis.call('HINCRBY', KEYS[1], string.format('%.0f', tick), 1)
  redis.call('PEXPIRE', KEYS[1], math.ceil(length * ${TICKS + 2}))
end
return { total + 1, ms }
`;
