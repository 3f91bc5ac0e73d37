/// <reference types="node" preserve="true" />
/**
 * The door `filrouge/websocket`: websockets on `ws`, loaded only by programs that import this door.
 *
 * @module
 */
export { type Closing, type WebSocketConnection, type WebSocketOptions, websocket } from './helpers/websocket.ts';
