/**
 * Starts OpenTelemetry. `node --import` runs this in each worker process and in each of its threads, before anything else.
 *
 * Other libraries are traced by their instrumentations, as `instrumentations: [new PgInstrumentation()]` in the options of NodeSDK.
 */
import { NodeSDK } from '@opentelemetry/sdk-node';
import { traceRequests } from 'filrouge/opentelemetry';

const sdk = new NodeSDK();
sdk.start();
traceRequests({ ignore: (request) => request.path === '/health' });
process.once('beforeExit', () => void sdk.shutdown()); // sends what has not been sent
