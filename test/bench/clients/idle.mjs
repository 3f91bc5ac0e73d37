/**
 * Opens connections, asks once on each, and holds them: `node idle.mjs <port> <number>`. Prints how many are open, and again when it is written a line.
 */
import { connect } from 'node:net';

const [port, number] = process.argv.slice(2).map(Number);
/** Handshakes at a time: less than any server queues. */
const AT_ONCE = 100;

let open = 0;
let begun = 0;
await Promise.all(Array.from({ length: AT_ONCE }, fill));
console.log(open);
process.stdin.on('data', () => console.log(open));
process.stdin.on('end', () => process.exit(0));

async function fill() {
  while (begun++ < number) await hold();
}

function hold() {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1' }, () => socket.write('GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n'));
    socket.once('data', () => {
      open++;
      socket.on('close', () => open--);
      resolve();
    });
    socket.on('error', reject);
    socket.resume();
  });
}
