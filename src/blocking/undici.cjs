/**
 * Where undici lies, for the I/O thread, which loads it from there.
 *
 * A CommonJS file, in the package as well: tracers of files understand a literal `require.resolve` and bundlers leave it alone, while a bundle in CommonJS
 * has no `import.meta.url` to resolve from. See docs/decisions/0006-bundle.md.
 *
 * @module
 */
'use strict';

exports.undiciFile = () => require.resolve('undici/index.js');
