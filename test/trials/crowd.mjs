/**
 * A crowd of Socket.IO clients, in the mix of Rpress's load test: of ten users six play ping-pong, three talk in rooms, one storms all. Each comes, does
 * its steps one after the other, and leaves. What breaks off is tried again as soon as the client is back, as an application does.
 */
import { io as connect } from 'socket.io-client';
import { pause } from './server.mjs';

/** A third of the users each. */
const WAYS = [['polling'], ['websocket'], ['polling', 'websocket']];
/** How long a step, or coming back, may take at most, ms: what takes longer has failed. */
const PATIENCE = 30_000;
/** How long an answer may take before it is asked for again, ms. */
const STEP = 5000;
/** The steps of a user, and the time between two of them, ms: a session of two seconds. */
const STEPS = 7;
const BETWEEN = 300;

/** @typedef {{ failures: string[], completed: number, emits: number, repeated: number, comebacks: number, heard: number, sessions: number[], standing: number }} Outcome */

/**
 * Sends the users, and has others stand by who only listen.
 *
 * @param {{ port: number, users: number, seconds: number, standing: number }} how
 * @returns {Promise<Outcome>}
 */
export async function crowd({ port, users, seconds, standing }) {
  /** @type {Outcome} */
  const outcome = { failures: [], completed: 0, emits: 0, repeated: 0, comebacks: 0, heard: 0, sessions: [], standing: 0 };
  const listeners = Array.from({ length: standing }, (_, i) => client(port, i, outcome));
  for (const listener of listeners) listener.on('stormed', () => outcome.heard++);
  /** @type {Promise<void>[]} */
  const running = [];
  const began = performance.now();
  for (let i = 0; i < users; i++) {
    await pause(began + (i * seconds * 1000) / users - performance.now());
    running.push(use(port, i, outcome));
  }
  await Promise.all(running);
  for (const listener of listeners) {
    if (await isBack(listener)) outcome.standing++;
    listener.disconnect();
  }
  return outcome;
}

/** @param {number} port @param {number} i @param {Outcome} outcome */
function client(port, i, outcome) {
  const socket = connect(`http://127.0.0.1:${port}`, {
    forceNew: true,
    transports: WAYS[i % WAYS.length],
    reconnectionDelay: 100,
    reconnectionDelayMax: 1000,
  });
  socket.io.on('reconnect', () => outcome.comebacks++);
  return socket;
}

/** One user, from the beginning to the end. @param {number} port @param {number} i @param {Outcome} outcome */
async function use(port, i, outcome) {
  const began = performance.now();
  const socket = client(port, i, outcome);
  const room = `room ${i % 20}`;
  const kind = i % 10 < 6 ? 'ping pong' : i % 10 < 9 ? 'rooms' : 'storm';
  try {
    for (let step = 0; step < STEPS; step++) {
      if (kind === 'ping pong') await done(socket, outcome, 'ping pong', step);
      else if (kind === 'storm') await done(socket, outcome, 'storm', 'x'.repeat(100));
      else if (step === 0) await done(socket, outcome, 'join', room);
      else await done(socket, outcome, 'tell', room, `user ${i}, step ${step}`);
      await pause(BETWEEN);
    }
    outcome.completed++;
    outcome.sessions.push(performance.now() - began);
  } catch (error) {
    outcome.failures.push(`${kind}, by ${WAYS[i % WAYS.length]?.join(' and ')}: ${error instanceof Error ? error.message : String(error)}`);
  }
  socket.disconnect();
}

/**
 * Emits until it is acknowledged.
 *
 * @param {import('socket.io-client').Socket} socket
 * @param {Outcome} outcome
 * @param {string} event
 * @param {unknown[]} args
 */
async function done(socket, outcome, event, ...args) {
  const end = performance.now() + PATIENCE;
  for (let attempt = 0; ; attempt++) {
    if (!(await isBack(socket))) throw new Error('it does not come back');
    if (attempt > 0) outcome.repeated++;
    outcome.emits++;
    try {
      return await socket.timeout(STEP).emitWithAck(event, ...args);
    } catch (error) {
      if (performance.now() > end) throw error;
    }
  }
}

/** Waits until it is connected. @param {import('socket.io-client').Socket} socket */
async function isBack(socket) {
  if (socket.connected) return true;
  return Promise.race([
    new Promise((resolve) => socket.once('connect', () => resolve(true))),
    pause(PATIENCE).then(() => socket.connected),
  ]);
}
