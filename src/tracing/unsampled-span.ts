/**
 * The span of a request that is not recorded, without asking the SDK: its ids are made when somebody asks for them.
 *
 * @module
 */
import { randomBytes } from 'node:crypto';
import { type Span, type SpanContext, TraceFlags } from '@opentelemetry/api';

/** Tells whoever is called that its trace is not sampled, and does nothing else. */
export class UnsampledSpan implements Span {
  #context: SpanContext | undefined = undefined;

  spanContext(): SpanContext {
    this.#context ??= {
      traceId: randomBytes(16).toString('hex'),
      spanId: randomBytes(8).toString('hex'),
      traceFlags: TraceFlags.NONE,
    };
    return this.#context;
  }

  isRecording(): boolean {
    return false;
  }

  setAttribute(): this {
    return this;
  }

  setAttributes(): this {
    return this;
  }

  addEvent(): this {
    return this;
  }

  addLink(): this {
    return this;
  }

  addLinks(): this {
    return this;
  }

  setStatus(): this {
    return this;
  }

  updateName(): this {
    return this;
  }

  recordException(): void {}

  end(): void {}
}
