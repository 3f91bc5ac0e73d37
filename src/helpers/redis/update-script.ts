/**
 * A string in Redis written only over the one that the caller has seen. A script runs atomically.
 *
 * KEYS: the key. ARGV: what it must hold, the new value, seconds until it expires. Returns 1 when it was written, else 0.
 *
 * @module
 */

/** Lua, for Redis 5 and later. */
export const UPDATE_SCRIPT: string = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'EX', ARGV[3])
return 1
`;
