/// <reference types="node" preserve="true" />
/**
 * The door `filrouge/proxy`: has another server answer requests.
 *
 * @module
 */
export { type ProxyOptions, proxy } from './helpers/proxy.ts';
