/** RFC 7541 over a connection: what a client may do with the table of fields, and what ends the connection (RFC 9113 §4.3). */
import { describe, expect, it } from 'vitest';
import { Response } from '../../src/index.ts';
import { octetsOf } from '../h2/hpack-tools.ts';
import { connectHttp2, type Http2Client } from '../support/http2-client.ts';
import { block, END_HEADERS, END_STREAM, frame, request } from '../support/http2-frames.ts';
import { breaksConnection } from '../support/http2-verdicts.ts';
import { serve } from '../support/serve.ts';

const HEAD = block(request());

/** HEADERS with octets in hexadecimal behind those of a request. */
function withOctets(id: number, text: string, head: Buffer = HEAD): Buffer {
  return frame('HEADERS', END_HEADERS | END_STREAM, id, Buffer.concat([head, octetsOf(text)]));
}

/** A client whose requests are answered with the field `x-a` of each, and `user-agent`. */
async function speak(): Promise<Http2Client> {
  const { port } = await serve((incoming) => Response.text(`${incoming.headerAll('x-a').join()} ${incoming.header('user-agent')}`), {
    h2c: true,
  });
  return connectHttp2(port);
}

const X_A = '03 78 2d 61';

describe('a field is taken', () => {
  it.each<[string, string, string]>([
    ['by its index in the static table, with an empty value', 'ba', ' '],
    ['with indexing, and a name of the static table', '7a 01 31', ' 1'],
    ['with indexing, and a name in Huffman code', '7a 81 0f', ' 1'],
    ['with indexing, and a new name', `40 ${X_A} 01 31`, '1 undefined'],
    ['without indexing, and a name of the static table', '0f 2b 01 31', ' 1'],
    ['without indexing, and a new name', `00 ${X_A} 01 31`, '1 undefined'],
    ['never indexed, and a name of the static table', '1f 2b 01 31', ' 1'],
    ['never indexed, and a new name', `10 ${X_A} 01 31`, '1 undefined'],
  ])('%s', async (_, octets, body) => {
    const client = await speak();
    client.send(withOctets(1, octets));
    expect(await client.answer(1)).toMatchObject({ status: 200, body });
  });

  it('by its index in the dynamic table, in the same block and in later ones', async () => {
    const client = await speak();
    client.send(withOctets(1, `40 ${X_A} 01 31`), withOctets(3, 'be'), withOctets(5, `40 ${X_A} 01 32 be`), withOctets(7, 'bf'));
    expect((await client.answer(1)).body).toBe('1 undefined');
    expect((await client.answer(3)).body).toBe('1 undefined');
    expect((await client.answer(5)).body).toBe('2,2 undefined');
    expect((await client.answer(7)).body).toBe('1 undefined');
  });

  it('and inserts nothing when it comes without indexing', async () => {
    await breaksConnection('COMPRESSION_ERROR', 1, withOctets(1, `00 ${X_A} 01 31`), withOctets(3, 'be'));
    await breaksConnection('COMPRESSION_ERROR', 1, withOctets(1, `10 ${X_A} 01 31`), withOctets(3, 'be'));
  });
});

describe('a table size update (§4.2, §6.3)', () => {
  it.each([
    ['once', '20'],
    ['twice', '20 3f e1 1f'],
  ])('is taken in front of a block, %s', async (_, octets) => {
    const client = await speak();
    client.send(frame('HEADERS', END_HEADERS | END_STREAM, 1, Buffer.concat([octetsOf(octets), HEAD])));
    expect(await client.answer(1)).toMatchObject({ status: 200 });
  });

  it('empties the table', async () => {
    const empty = frame('HEADERS', END_HEADERS | END_STREAM, 3, Buffer.concat([octetsOf('20'), HEAD, octetsOf('be')]));
    await breaksConnection('COMPRESSION_ERROR', 1, withOctets(1, `40 ${X_A} 01 31`), empty);
  });

  it('ends the connection behind a field', async () => {
    await breaksConnection('COMPRESSION_ERROR', 0, withOctets(1, '20'));
  });

  it('ends the connection above our setting', async () => {
    await breaksConnection(
      'COMPRESSION_ERROR',
      0,
      frame('HEADERS', END_HEADERS | END_STREAM, 1, Buffer.concat([octetsOf('3f e2 1f'), HEAD])),
    );
  });
});

describe('the connection ends', () => {
  it.each<[string, string]>([
    ['at an index that is not there (§2.3.3)', 'ff 80 01'],
    ['at a name whose index is not there', '7f 80 01 01 31'],
    ['at index 0 (§6.1)', '80'],
    ['at padding of more than seven bits (§5.2)', '00 85 f2 b2 4a 84 ff 87 49 51 5e ff ff ff'],
    ['at padding of zeros', `00 ${X_A} 81 08`],
    ['at EOS in a string', '00 85 f2 b2 4a 84 ff 84 ff ff ff ff'],
    ['at an integer without an end (§5.1)', 'ff ff ff ff ff ff ff ff'],
    ['at a string that is longer than the block', '00 7f ff 0f 61'],
  ])('%s', async (_, octets) => {
    await breaksConnection('COMPRESSION_ERROR', 0, withOctets(1, octets));
  });
});

it('our blocks need no table: they say that it is empty, whatever the client has announced', async () => {
  const client = await speak();
  client.send(withOctets(1, ''));
  await client.answer(1);
  const first = client.frames.find(({ type }) => type === 'HEADERS')?.payload;
  expect(first?.[0]).toBe(0x20);
});
