import { once } from 'node:events';
import { connect } from 'node:http2';
import { expect, it, onTestFinished } from 'vitest';
import { answerOf, ask } from '../support/http2.ts';
import { startCluster } from './support.ts';

const STREAMS = 50;

it('a SIGTERM lets fifty open streams of one connection finish, and the worker and its primary end with 0', async () => {
  const cluster = await startCluster({ workers: 1, h2c: true });
  const client = connect(cluster.origin);
  client.on('error', () => {});
  onTestFinished(() => client.destroy());
  await ask(client, '/pid');
  const answers = Array.from({ length: STREAMS }, () => answerOf(client.request({ ':path': '/slow/1500' })));
  await new Promise((resolve) => client.ping(resolve)); // the server has read all that was sent before
  expect((await cluster.ask('status')).workers[0]?.inFlight).toBe(STREAMS);
  cluster.child.kill('SIGTERM');
  const [code] = (await once(client, 'goaway')) as [number];
  expect(code).toBe(0);
  expect((await Promise.all(answers)).map(({ status }) => status)).toEqual(Array.from({ length: STREAMS }, () => 200));
  expect(await cluster.ended).toBe(0);
});
