/**
 * HTTPS: HTTP/2 for browsers, a second port that sends people here, certificates for several names that are renewed without a restart.
 *
 * Make a certificate for this machine, once; browsers warn that they do not know it:
 *
 *     $ openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj /CN=localhost \
 *         -addext subjectAltName=DNS:localhost,IP:127.0.0.1 -keyout key.pem -out cert.pem
 *     $ npm run build && npm run build:examples && node .build/examples/https.js
 *
 *     $ curl -k https://localhost:8000/                   you came over HTTP/2.0
 *     $ curl -k --http1.1 https://localhost:8000/         you came over HTTP/1.1
 *     $ curl -i http://localhost:8080/a?b=c               308 Permanent Redirect, Location: https://localhost:8000/a?b=c
 *     $ curl http://localhost:8000/                       This port speaks HTTPS: use https:// in the address
 *
 * Make another certificate in the same place: within a second new connections have it, and nobody is cut off. With certbot that is all there is to do:
 * `certbot certonly --webroot -w ./webroot -d example.org` finds its challenges served on the port in the clear, which must then be 80.
 */
import { finish, logAccess, match, type Request, Response, secureHeaders, startServer } from 'filrouge';

const { PORT: port = '8000', HOST: host = 'localhost' } = process.env;
const { HTTP_PORT: plain = '8080', FOLDER: folder = '.' } = process.env;

startServer((request) => finish(request, answer, protect, logAccess), {
  host,
  port: Number(port),
  tls: {
    cert: `${folder}/cert.pem`,
    key: `${folder}/key.pem`,
    // For other names, other certificates:  names: { 'example.org': { cert, key }, '*.example.org': { cert, key } },
    redirectHttp: { port: Number(plain), acme: `${folder}/webroot` },
  },
});

function answer(request: Request): Response {
  if (match(request, 'GET /')) return Response.text(`you came over HTTP/${request.httpVersion}\n`);
  return Response.text('There is nothing here.\n').withStatus(404);
}

/** Browsers that were here once never ask in the clear again, for a day. Make it a year when you are sure. */
function protect(request: Request, response: Response): Response {
  return secureHeaders(request, response, { hsts: 86_400 });
}
