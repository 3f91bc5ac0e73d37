/**
 * The door `filrouge/cgi`: programs that answer requests by CGI.
 *
 * @module
 */
export { type CgiOptions, cgi } from './helpers/cgi.ts';
