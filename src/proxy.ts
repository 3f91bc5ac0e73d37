/**
 * The door `filrouge/proxy`: requests that another server answers.
 *
 * @module
 */
export { type ProxyOptions, proxy } from './helpers/proxy.ts';
