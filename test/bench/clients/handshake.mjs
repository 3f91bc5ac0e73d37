/**
 * The handshake of a websocket (RFC 6455 §4.1), as the clients of the benchmark send it.
 *
 * @param {string} path
 * @param {number} port
 */
export function handshake(path, port) {
  return `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n`;
}
