/**
 * Loads packages on first use: loading one takes milliseconds, which every process and every handler thread would pay at its start, and few
 * programs need all of them.
 *
 * A CommonJS file, in the package as well: handlers are synchronous, so that a call which loads must return at once, and bundlers and tracers of files
 * understand no synchronous form but a literal `require`. See docs/decisions/0006-bundle.md.
 *
 * @module
 */
'use strict';

let cookie;
let mimeTypes;

exports.cookiePackage = () => (cookie ??= require('cookie'));
exports.mimeTypesPackage = () => (mimeTypes ??= require('mime-types'));
