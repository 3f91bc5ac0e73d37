/// <reference types="node" preserve="true" />
/**
 * The door `filrouge/cgi`: has programs answer requests by CGI.
 *
 * @module
 */
export { type CgiOptions, cgi } from './helpers/cgi.ts';
