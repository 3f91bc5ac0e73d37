/**
 * The door `filrouge/websocket`: websockets on `ws`, which only those load who come through here.
 *
 * @module
 */
export { type Closing, type WebSocketConnection, type WebSocketOptions, websocket } from './helpers/websocket.ts';
