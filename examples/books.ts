/**
 * A REST API of five routes, in which query, parameters and bodies are checked by schemas: wrong input is answered as JSON that names what is wrong.
 *
 *     npm run build && npm run build:examples && node .build/examples/books.js
 *
 *     $ curl -i http://localhost:8000/books -H 'Content-Type: application/json' -d '{"title":"Dune","year":1965}'    201, Location: /books/1
 *     $ curl 'http://localhost:8000/books?year=1965'                     [{"id":1,"title":"Dune","year":1965}]
 *     $ curl 'http://localhost:8000/books?limit=0'
 *         422, {…,"code":"schema-mismatch","issues":[{"message":"Too small: …","path":["limit"]}]}
 *     $ curl http://localhost:8000/books/x                               422, "path":["id"]
 *     $ curl http://localhost:8000/books -H 'Content-Type: application/json' -d '{"title":""}'    422, "path":["title"] and ["year"]
 */
import { Response, readJson, readParams, readQuery, router, startServer, tryOr404 } from 'filrouge';
import { z } from 'zod';

const Book = z.object({ title: z.string().min(1).max(200), year: z.int() });
const Id = z.object({ id: z.coerce.number().int().min(1) });
const List = z.object({ year: z.coerce.number().int().optional(), limit: z.coerce.number().int().min(1).max(100).default(20) });
const books = new Map<number, { id: number; title: string; year: number }>();
let last = 0;
const find = (id: number) => tryOr404(() => books.get(id), 'There is no such book');

const routes = router({
  'GET /books': (_params, request) => {
    const { year, limit } = readQuery(request, List);
    return Response.json([...books.values()].filter((book) => year === undefined || book.year === year).slice(0, limit));
  },
  'POST /books': (_params, request) => {
    const book = { ...readJson(request, Book), id: ++last };
    books.set(book.id, book);
    return Response.json(book).withStatus(201).withHeader('Location', `/books/${book.id}`);
  },
  'GET /books/{id}': (params) => Response.json(find(readParams(params, Id).id)),
  'PUT /books/{id}': (params, request) => Response.json(Object.assign(find(readParams(params, Id).id), readJson(request, Book))),
  'DELETE /books/{id}': (params) => Response.json(books.delete(find(readParams(params, Id).id).id)),
});

// One worker: the books are in its memory. notes.ts keeps such things in a file, database.ts in SQLite.
const { PORT: port = '8000', HOST: host = 'localhost' } = process.env;
startServer((request) => routes(request) ?? Response.empty(404), { host, port: Number(port), workers: 1, errors: 'json' });
