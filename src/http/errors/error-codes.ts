/**
 * Every stable error code of the project, in one table: what docs/errors.md lists and what `error.code` holds.
 *
 * Codes are for programs and search engines: their meaning never changes. Messages are for people, and may change.
 *
 * @module
 */

/** The meaning of each code, and what to do about it. */
export const ERROR_CODES = {
  // The client's fault, on the wire. The connection is closed after the answer.
  'bad-request-line': 'The request line is not `METHOD SP target SP HTTP/1.x` (RFC 9112 §3).',
  'bad-version': 'The version is not HTTP/1.0 or HTTP/1.1 (RFC 9110 §2.5): answered 505.',
  'bad-target':
    'The request target is not an origin-form, absolute-form or `*`, or holds NUL, a backslash, a broken escape or broken UTF-8.',
  'bad-field':
    'A header line or trailer line does not match its grammar (RFC 9112 §5): bare CR or LF, folding, space before the colon, a control character.',
  'bad-host': 'Host is missing, repeated or malformed (RFC 9112 §3.2).',
  'bad-content-length': 'Content-Length is not a whole number, or is given more than once (RFC 9112 §6.3).',
  'bad-transfer-coding': 'Transfer-Encoding is not exactly `chunked`, comes with Content-Length, or is in HTTP/1.0 (RFC 9112 §6.1).',
  'unknown-transfer-coding': 'A transfer coding other than `chunked` is not implemented: answered 501.',
  'bad-chunk': 'A chunk size, extension or line end does not match its grammar (RFC 9112 §7.1).',
  'chunk-overhead': 'Chunk extensions or tiny chunks cost more than a body may.',
  'target-too-long': 'The request line is longer than `maxRequestLine`: answered 414.',
  'header-too-large': 'The header or trailer section is larger than `maxHeaderSize`, or has more than `maxHeaders` lines: answered 431.',
  'body-too-large': 'The body is larger than `maxBodySize`, or than the limit a reading helper was given: answered 413.',
  'body-incomplete': 'The client ended its side of the connection inside a message.',
  'bad-expectation': 'Expect asks for something other than `100-continue`: answered 417.',
  'method-not-implemented': 'CONNECT is not implemented: answered 501. TRACE is refused with 405.',
  'header-timeout': 'No complete head came within `headersTimeout`: answered 408.',
  'body-timeout': 'The body did not come fast enough for `requestTimeout`: answered 408.',
  'too-many-connections': 'The server holds `maxConnections` connections: answered 503.',
  'storage-full': 'There is no room on disk for a request body: answered 507. Free space in the temporary folder, or lower `maxBodySize`.',
  'storage-busy':
    'Other bodies take all of `maxDiskForBodies`: answered 503, with Retry-After. Bodies that fit in memory are still accepted.',
  'storage-failed': 'A request body could not be written to the temporary folder: answered 500. See the cause.',

  // The client's fault, in content.
  'bad-text': 'The body is not valid UTF-8.',
  'bad-json': 'The body is not valid JSON.',
  'unsupported-media-type': 'The body is of a type that the handler does not read: answered 415.',
  'bad-form':
    'The body is not a form: a multipart body that is cut short, a malformed part or boundary, a part without a name, a file without a usable name.',
  'missing-field': 'The client did not send a field, a parameter or a header that the handler asked for; the message names it.',
  'bad-field-value':
    'A field, a parameter or a header has a value that cannot be converted to the kind asked for, or appears more than once; the message names it.',
  'form-too-large': 'The form has more fields or files, or longer ones, than `readForm` accepts: answered 413.',
  'schema-mismatch': 'The body, query, path or headers do not satisfy the schema: answered 422, with the issues.',
  'bad-request': 'A check with `tryOr400` or `assertOr400` failed.',
  'not-found': '`tryOr404` found nothing, or `Response.file` names no regular file.',
  'method-not-allowed': 'The path is known, the method is not: see Allow.',
  'bad-handshake': 'A request to a websocket is not a handshake that can be accepted, or offers no upgrade: answered 426, 405 or 400.',
  'server-stopping':
    'A client without a session came to a Socket.IO server while its server drains: answered 503. It comes again, to another worker.',
  'upgrade-refused': 'The handler of `upgradeWithNode` has closed the connection without an answer: answered 400.',
  'bad-origin': 'A page of another origin tried to open a websocket: answered 403. If it may, name it in `origins`.',
  'client-gone': 'The client left, or its request ran out of time, before `cgi` or `proxy` had an answer: 499, a status that nobody reads.',
  'bad-gateway':
    'The server that `proxy` asked cannot be reached or gave no response that can be sent: answered 502. Within the body, the connection was cut.',
  'gateway-timeout':
    'The server that `proxy` asked took too long to connect or to answer: answered 504. Within the body, the connection was cut.',
  'proxy-loop': 'A request came back to the process that had sent it on with `proxy`: answered 508.',
  'bad-script-output':
    'The program that `cgi` ran gave no CGI response (RFC 3875 §6): answered 502. The reason is printed on standard error.',
  'script-timeout':
    'The program that `cgi` ran neither read nor wrote anything for `timeout`: answered 504, or the connection was cut in the middle of the body.',
  'too-many-requests': 'The client has used up a rate limit: answered 429, with Retry-After.',

  // The handler's fault, at run time: the client sees a bare 500, `onError` sees the error.
  'nothing-returned': 'The handler returned no Response. Look for a branch without `return`; the message names the route.',
  'handler-timeout': 'The handler took longer than `handlerTimeout`: answered 503.',
  'server-busy':
    'All handler threads are busy, and the queue for them is full, or the request has waited in it for `handlerTimeout`: answered 503.',
  'worker-gone':
    'The worker that was to answer a request (`affinity`) died before it had: answered 502. Or none has answered for its key for 5 seconds: 503.',
  'thread-stopped': 'The thread of a request died (500), or was stopped because of another request (503).',
  'blocking-timeout': 'A call of `filrouge/blocking` took longer than its `timeout`. What it waits for is in the message.',
  'blocking-aborted': 'A call of `filrouge/blocking` was ended because the client has left, or because `handlerTimeout` is over.',
  'blocking-thread-died': 'The I/O thread of a module died during a call: it is replaced, and the next call reaches the new one.',
  'blocking-not-loaded': 'A module for `createBlocking` does not load: the reason is in the message, and in its cause.',
  'blocking-misused':
    'A call of `filrouge/blocking` cannot work: there is no such function, a handle was released, a body read twice, or a function of `blocking.all` does more than one call.',
  'fetch-bad-json':
    'What a server asked by `createFetch` has answered is no JSON. Look at the status first: an answer with an error is often a page.',
  'fetch-schema-mismatch':
    'What a server asked by `createFetch` has answered is not what the schema given to `json` wants: `issues` lists where.',
  'body-is-streamed': 'The body of a request chosen by `streamBody` was read whole. Use `request.body.stream()`.',
  'body-is-gone': 'A large request body was read after its response was sent. Read it earlier, or copy it.',
  'already-sent': 'It is too late to ask how a response goes out: call `onSent` before it is returned, or from its stream.',
  'body-used': 'A Response whose stream has been sent or read was returned again. Make a new one for each request.',
  'wrong-length':
    'A response stream gave more or fewer bytes than its size: the connection was cut, so that nobody mistakes the body for complete.',
  'stale-file':
    'A response with a file was sent after the file had changed, or after the request it was made for was over. Make a new one for each request.',
  'script-not-started': 'The program that `cgi` was to run cannot be started: there is no program of that name, or no right to run it.',
  'script-died': 'The program that `cgi` ran was ended by a signal in the middle of its response: the connection was cut.',
  'session-too-large':
    'The cookie of a session would be larger than browsers accept (4096 bytes). Keep less in it, or give `createSessions` a store.',
  'session-contended':
    'Other requests changed a session each time it was about to be saved, 100 times in a row; or the `update` of its store never says that it has written.',
  'redis-unavailable':
    'A session or a rate limit needs Redis, and it cannot be reached, or does not answer in time: answered 503, with Retry-After. The cause says why.',
  'not-serializable':
    'A value has no JSON form (a function, undefined, a cycle or a bigint); or, published in a channel, it cannot be cloned (a function).',
  'channel-overflow': "A reader of a channel with `overflow: 'close'` was too slow, or something between was, and has missed a message.",

  // The programmer's fault, at start or at the culprit.
  'bad-option': 'An option has a wrong type or value, is unknown, or contradicts another.',
  'bad-request-file':
    'A file that `requestFromFile` was given is not a request, or its body was not recorded whole; the message names the line.',
  'bad-route': 'A route pattern is malformed, or appears twice in one router.',
  'bad-html':
    'A template of `html` has a value where none can be written safely (an attribute without quotes, a script), is cut off inside a tag, or was given a value that is not text.',
  'bad-header':
    'A header name is not a token, a value holds CR, LF, NUL or a character above 0xff, or a redirect holds a control character.',
  'bad-status': 'A status is not a whole number from 200 to 999, or cannot be used here.',
  'bad-cookie': 'A cookie has a name, value or attribute that browsers refuse.',
  'already-started': 'startServer was called a second time in a process that serves with workers.',
  'worker-failed': 'A worker process could not start; the first error is in the message.',
  'unsupported-runtime': 'The runtime cannot have such a server: workerd none, Deno none with workers. See docs/bundles.md.',
} as const;

/** A stable error code of this project. Applications may use any other string for their own errors. */
export type ErrorCode = keyof typeof ERROR_CODES;

/** Adds a stable code to an error made by the language's own classes. */
export function withCode<E extends Error>(error: E, code: ErrorCode): E & { readonly code: ErrorCode } {
  return Object.assign(error, { code });
}
