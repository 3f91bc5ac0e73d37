/**
 * Opens connections, asks once on each, and holds them: `node idle.mjs <port> <number> [http2]`. Prints how many are open, and again when it is written a line.
 */
import { connect } from 'node:net';

const [port, number] = process.argv.slice(2, 4).map(Number);
const isHttp2 = process.argv[4] === 'http2';
/** Handshakes at a time: less than any server queues. */
const AT_ONCE = 100;

/** Settings acknowledged (RFC 9113 §6.5). */
const SETTINGS_RECEIVED = Buffer.from([0, 0, 0, 4, 1, 0, 0, 0, 0]);
const ASKED = isHttp2 ? http2Request() : 'GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n';
const ANSWER = 'Hello, World!';

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
    const socket = connect({ port, host: '127.0.0.1' }, () => socket.write(ASKED));
    socket.on('data', function receive(bytes) {
      if (!bytes.includes(ANSWER)) return;
      socket.off('data', receive);
      if (isHttp2) socket.write(SETTINGS_RECEIVED);
      open++;
      socket.on('close', () => open--);
      resolve();
    });
    socket.on('error', reject);
    socket.resume();
  });
}

/** The preface, no settings, and GET / on the first stream: its fields stand in the static table (RFC 7541, appendix A) but for the authority. */
function http2Request() {
  const fields = Buffer.concat([Buffer.from([0x82, 0x84, 0x86, 0x41, 9]), Buffer.from('localhost')]);
  const head = Buffer.from([0, 0, fields.length, 1, 0x05, 0, 0, 0, 1]);
  return Buffer.concat([Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]), head, fields]);
}
