/// <reference types="node" preserve="true" />
/**
 * The front door of filrouge.
 *
 * @module
 */
export type { RequestMessage } from './exchange/channels.ts';
export { type Finisher, finish } from './exchange/finish.ts';
export type { Handler } from './exchange/respond.ts';
export { accepts, acceptsEncodings, acceptsLanguages } from './helpers/accepts.ts';
export { affinityKeyHere } from './helpers/affinity-key.ts';
export { answerStatus, type StatusFormat } from './helpers/answer-status.ts';
export { basicAuth, type Credentials } from './helpers/basic-auth.ts';
export { bearerToken } from './helpers/bearer-token.ts';
export { type CompressOptions, compress } from './helpers/compress.ts';
export { conditional } from './helpers/conditional.ts';
export { cookies } from './helpers/cookies.ts';
export { type Cors, type CorsPolicy, createCors } from './helpers/cors.ts';
export { sendEarlyHints } from './helpers/early-hints.ts';
export { type Html, type HtmlTag, type HtmlValue, html } from './helpers/html.ts';
export { isCrossSite } from './helpers/is-cross-site.ts';
export { type AccessEntry, type AccessLogger, type LogAccessOptions, type LogOutput, logAccess } from './helpers/log-access.ts';
export { type LogContext, logContext } from './helpers/log-context.ts';
export { match } from './helpers/match.ts';
export { onSent, type Sent } from './helpers/on-sent.ts';
export {
  createRateLimiter,
  type Hits,
  type Rate,
  type RateLimiter,
  type RateLimiterOptions,
  type RateStore,
} from './helpers/rate-limit.ts';
export {
  type FieldSpec,
  type FormLimits,
  type FormPart,
  readForm,
  readFormAsync,
  readFormParts,
  type UploadedFile,
} from './helpers/read-form.ts';
export { readHeaders } from './helpers/read-headers.ts';
export { readJson, readJsonAsync } from './helpers/read-json.ts';
export { readParams } from './helpers/read-params.ts';
export { readQuery } from './helpers/read-query.ts';
export { readText } from './helpers/read-text.ts';
export { readiness } from './helpers/readiness.ts';
export type { TextSpec } from './helpers/reading/kinds.ts';
export type { StandardSchema } from './helpers/reading/schema.ts';
export { type RecordOptions, recordRequest } from './helpers/record-request.ts';
export { requestId } from './helpers/request-id.ts';
export { type ListedRoute, listRoutes, router } from './helpers/router.ts';
export type { Checked, RouteParams } from './helpers/routes/params.ts';
export { type SecureHeadersOptions, secureHeaders } from './helpers/secure-headers.ts';
export { type ServeDirOptions, serveDir } from './helpers/serve-dir.ts';
export { type ServeStatusOptions, serveStatus } from './helpers/serve-status.ts';
export {
  createMemorySessionStore,
  createSessions,
  type Session,
  type SessionOptions,
  type SessionStore,
  type Sessions,
  type StoredSession,
  type StoredSessions,
} from './helpers/session.ts';
export { type SignedCookieOptions, signedCookies, withSignedCookie } from './helpers/signed-cookies.ts';
export { assertOr400, tryOr400, tryOr404 } from './helpers/try-or.ts';
export type { Awaitable } from './http/awaitable.ts';
export { RequestBody } from './http/body/request-body.ts';
export type { BodyInit } from './http/body/response-body.ts';
export type { EscapedHtml, HtmlText } from './http/body/text.ts';
export type { ErrorCode } from './http/errors/error-codes.ts';
export type { ErrorFormat, HttpErrorOptions } from './http/errors/failure.ts';
export type { EventStreamOptions, ServerSentEvent } from './http/event-stream.ts';
export type { CookieOptions } from './http/fields/set-cookie.ts';
export type { HeadersInit } from './http/header-list.ts';
export { type HttpVersion, Request, type RequestInit } from './http/request.ts';
export { HttpError, Response, type ResponseInit } from './http/response.ts';
export type { TakeConnection, Takeover } from './http/takeover.ts';
export type { Durations } from './process/durations.ts';
export type {
  Answered,
  Counts,
  GcFigures,
  Http2Figures,
  Refused,
  ServerStatus,
  ThreadStates,
  TlsFigures,
  Totals,
  WorkerStatus,
} from './process/server-status.ts';
export type { CallMessage } from './process/watching/call-channel.ts';
export type { ConnectionMessage, StreamMessage } from './process/watching/connection-channels.ts';
export type {
  ObservedServer,
  OpenRequest,
  ServerActivity,
  ServerMark,
  SlowRequest,
  ThreadActivity,
  ThreadState,
  WorkerActivity,
} from './process/watching/server-activity.ts';
export type { RunningServer, ServerOptions } from './server/options.ts';
export type { RefusedHead } from './server/refusals.ts';
export { startServer } from './server/start.ts';
export type { TlsOptions } from './server/tls/options.ts';
