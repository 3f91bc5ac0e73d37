/**
 * Files of a folder: GET and HEAD, with ETag, conditions and ranges (RFC 9110 §8.8, §13, §14).
 *
 * @module
 */

import { randomUUID } from 'node:crypto';
import type { Stats } from 'node:fs';
import { FileContent } from '../http/file/file-content.ts';
import { fileValidators } from '../http/file/file-validators.ts';
import { mediaTypeOf } from '../http/file/media-type.ts';
import { OpenFile } from '../http/file/open-file.ts';
import { HeaderList } from '../http/header-list.ts';
import type { Request } from '../http/request.ts';
import { HttpError, Response } from '../http/response.ts';
import { encodePath, namesIn } from '../http/target.ts';
import { answerConditions } from './conditions/answer.ts';
import { Folder } from './serve-dir/folder.ts';
import { KeptFile } from './serve-dir/kept-files.ts';
import { cacheControl, checkArguments, type ServeDirOptions } from './serve-dir/options.ts';
import { chooseForm, type Form } from './serve-dir/precompressed.ts';

export type { ServeDirOptions } from './serve-dir/options.ts';

/** Up to this a body is read here and now: the file is closed before the handler returns, and head and body leave in one write. */
const SMALL = 64 * 1024;
const DEFAULTS: ServeDirOptions = {};

/**
 * Answers a GET or HEAD with the file that the request's path names below a folder.
 *
 * The answer has ETag, Last-Modified and Cache-Control, and is a 304, 412, 206 or 416 where the request's conditions or its Range say so. A folder is
 * answered with its index file, or, when the path lacks its final slash, with a redirect (301) to the path that has it. Nothing else exists: no
 * folder without an index, no name that begins with a dot, nothing outside the folder, also by symbolic links, and no pipe or device.
 *
 * @param request The request. Only its `path` decides, the same one that guards and routes see.
 * @param root Path of the folder; a relative one is relative to the working directory. Everything below it is public.
 * @param options See ServeDirOptions. Small enough to be made for each request, or once.
 * @returns The answer, or `undefined` when there is no such file: try the next with `??`. Where there is no such folder, the log says so, once.
 * @throws TypeError or RangeError (code `bad-option`) for a wrong option; the file system's error when it is in trouble (too many open files).
 * @example
 * return serveDir(request, 'public', { maxAge: 3600 }) ?? Response.empty(404);
 */
export function serveDir(request: Request, root: string, options: ServeDirOptions = DEFAULTS): Response | undefined {
  checkArguments(root, options);
  if (request.method === 'GET' || request.method === 'HEAD') {
    const response = isVisible(request.path, options) ? answer(request, root, options) : undefined;
    return response ?? (options.fallthrough === false ? Response.fromError(new HttpError(404), request) : undefined);
  }
  return options.fallthrough === false
    ? Response.fromError(new HttpError(405, undefined, { headers: { Allow: 'GET, HEAD' } }), request)
    : undefined;
}

/** A `%2F` is a slash inside a name, and no file has such a name. Dot segments were resolved earlier; this checks once more that none is left. */
function isVisible(path: string, { dotfiles }: ServeDirOptions): boolean {
  if (!path.startsWith('/') || path.includes('%2F')) return false;
  return !path.includes('/.') || (dotfiles === true && !/\/\.\.?(?:\/|$)/.test(path));
}

function answer(request: Request, root: string, options: ServeDirOptions): Response | undefined {
  const folder = new Folder(root, request.header('range') === undefined); // a part is read from the file
  const path = namesIn(request.path);
  const stats = folder.stat(path);
  if (!stats) folder.miss();
  if (!stats?.isDirectory()) return stats && answerFile(request, folder, path, stats, options);
  const { index = 'index.html' } = options;
  if (index === false) return undefined;
  const indexPath = `${path.endsWith('/') ? path : `${path}/`}${index}`;
  const indexStats = folder.stat(indexPath);
  if (!indexStats?.isFile()) return undefined;
  if (request.original.path.endsWith('/')) return answerFile(request, folder, indexPath, indexStats, options);
  const file = folder.open(indexPath); // a folder without an index, or outside, does not exist: no redirect may tell of it
  file?.close();
  return file && toSlash(request);
}

/** The path begins with exactly one slash, so that the Location cannot name another host; a prefix that was cut off is put back. */
function toSlash(request: Request): Response {
  const query = request.rawQuery === '' ? '' : `?${request.rawQuery}`;
  return Response.redirect(`${encodePath(request.original.path)}/${query}`, 301);
}

function answerFile(request: Request, folder: Folder, path: string, stats: Stats, options: ServeDirOptions): Response | undefined {
  if (!stats.isFile()) return undefined; // a FIFO or device is not even opened
  const file = folder.find(path, stats);
  if (!file) return undefined;
  const original = { file, path, coding: undefined, varies: false };
  const form = options.precompressed === false ? original : chooseForm(request, folder, original, stats);
  if (form.file !== file) file.close();
  return answerWith(request, folder, form, fieldsOf(path, form, cacheControl(options)));
}

/** @param path Of the original: it gives the type, also of a compressed file. */
function fieldsOf(path: string, form: Form, caching: string): HeaderList {
  const { file, coding, varies } = form;
  if (file instanceof OpenFile) return HeaderList.of(fieldLines(path, form, caching));
  const key = `${path}\n${caching}\n${coding}\n${varies}`;
  if (file.fields.key !== key) file.fields = { key, list: HeaderList.of(fieldLines(path, form, caching)) };
  return file.fields.list;
}

function fieldLines(path: string, { file: { version }, coding, varies }: Form, caching: string): [name: string, value: string][] {
  const { etag, lastModified } = fileValidators(version, Date.now());
  const fields: [string, string][] = [
    ['Content-Type', mediaTypeOf(path)],
    ['Cache-Control', caching],
    ['ETag', coding === undefined ? etag : etag.replace(/"$/, `-${coding}"`)],
    ['Last-Modified', lastModified],
    ['Accept-Ranges', 'bytes'],
  ];
  if (coding !== undefined) fields.push(['Content-Encoding', coding]);
  if (varies) fields.push(['Vary', 'Accept-Encoding']);
  return fields;
}

function answerWith(request: Request, folder: Folder, { file, path }: Form, fields: HeaderList): Response {
  const whole = Response.ofParts(200, fields, file instanceof KeptFile ? file.content : FileContent.holding(file));
  const response = answerConditions(request, whole, Date.now(), randomUUID);
  if (file instanceof KeptFile) return response;
  const { content } = response;
  if (!(content instanceof FileContent)) return response; // 304, 412, 416: the file is closed
  if (content.size > SMALL) {
    request.onEnd(() => file.close()); // also when this Response is never sent
    file.closeWhenForgotten(); // also when this request was made by hand
    return response;
  }
  try {
    const bytes = content.bytes();
    if (!content.parts) folder.keep(path, file, bytes);
    return response.withContent(bytes);
  } finally {
    file.close();
  }
}
