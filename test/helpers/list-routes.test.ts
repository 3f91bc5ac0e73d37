/** The routes of a router, and the lines of their handlers, in files that Node itself has loaded: a test runner changes lines. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { listRoutes, Response, router } from '../../src/index.ts';

/** What a file exports that is loaded without the test runner. */
function loaded(source: string): { readonly path: string; readonly exported: Parameters<typeof router>[0] } {
  const folder = mkdtempSync(join(tmpdir(), 'filrouge-routes-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'routes.cjs');
  writeFileSync(path, source);
  return { path, exported: createRequire(import.meta.url)(path) as Parameters<typeof router>[0] };
}

const none = (): Response => Response.empty();

describe('listRoutes', () => {
  it('has one row for each method, in the order the routes were written', () => {
    const routes = router({ 'POST /b/{id:int}': none, 'GET|HEAD /a': none, 'GET|ANY /{...rest}': none });
    expect(listRoutes(routes).map(({ method, path }) => `${method} ${path}`)).toEqual([
      'POST /b/{id:int}',
      'GET /a',
      'HEAD /a',
      'ANY /{...rest}',
    ]);
  });

  it('tells the file and the line in which each handler begins, also of a method', () => {
    const { path, exported } = loaded("module.exports = {\n  'GET /a': () => 1,\n\n  'GET|POST /b'(params) {\n    return 2;\n  },\n};\n");
    expect(listRoutes(router(exported))).toEqual([
      { method: 'GET', path: '/a', file: path, line: 2 },
      { method: 'GET', path: '/b', file: path, line: 4 },
      { method: 'POST', path: '/b', file: path, line: 4 },
    ]);
  });

  it('tells of the methods of a class', () => {
    const { path, exported } = loaded("class Notes {\n  'GET /notes'() {}\n  other() {}\n}\nmodule.exports = new Notes();\n");
    expect(listRoutes(router(exported))).toEqual([{ method: 'GET', path: '/notes', file: path, line: 2 }]);
  });

  it.each([
    ['the source', 'file:///srv/app/routes.ts', '/srv/app/routes.ts'],
    ['what a source map calls the source', 'file://elsewhere/routes.ts', 'file://elsewhere/routes.ts'],
  ])('names %s where source maps are in use, as a stack trace does', (_what, source, file) => {
    process.setSourceMapsEnabled(true);
    onTestFinished(() => process.setSourceMapsEnabled(false));
    // The second line of the file is the seventh of the source, from its first column on.
    const map = { version: 3, sources: [source], names: [], mappings: ';AAMA' };
    const comment = `//# sourceMappingURL=data:application/json;base64,${Buffer.from(JSON.stringify(map)).toString('base64')}`;
    const { exported } = loaded(`module.exports = {\n'GET /a': () => 1 };\n${comment}\n`);
    expect(listRoutes(router(exported))).toEqual([{ method: 'GET', path: '/a', file, line: 7 }]);
  });

  it('lists a handler without a place: one that is bound, or built in', () => {
    const routes = router({ 'GET /a': none.bind(undefined), 'GET /b': Object });
    expect(listRoutes(routes)).toEqual([
      { method: 'GET', path: '/a', file: undefined, line: undefined },
      { method: 'GET', path: '/b', file: undefined, line: undefined },
    ]);
  });

  it('leaves nothing behind that others could see', () => {
    const before = Reflect.ownKeys(globalThis);
    listRoutes(router({ 'GET /a': none }));
    expect(Reflect.ownKeys(globalThis)).toEqual(before);
  });

  it('refuses a function that is no router', () => {
    expect(() => listRoutes(() => undefined)).toThrow(
      expect.objectContaining({ name: 'TypeError', code: 'bad-option', message: 'Cannot list routes: this is not what router returned' }),
    );
    expect(() => listRoutes({ 'GET /a': none } as never)).toThrow('Cannot list routes');
  });
});
