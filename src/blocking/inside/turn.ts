/**
 * A turn of the I/O thread's loop, as far as callers have a part in it.
 *
 * To wake a thread costs microseconds, and a thread that is woken at once competes with the one that has woken it: for its core, and for the lock that V8
 * has around all waits. So when several calls are under way, their callers are woken together, when all that has come in this turn is dealt with. From its
 * first event until then the thread is known to be awake: who calls it meanwhile sends no message.
 *
 * @module
 */
import type { LifeCells } from '../life.ts';

/** A thread that calls, as far as a turn has to do with it. */
export interface TurnCaller {
  /** Takes the call in its mailbox. @returns Whether there was one. */
  look(): boolean;
  wake(): void;
}

/** See above. */
export class Turn {
  readonly #life: LifeCells;
  readonly #callers: Iterable<TurnCaller>;
  readonly #answered: TurnCaller[] = [];
  readonly #onEnd = (): void => this.#end();
  #isLooking = false;
  #isAwake = false;
  #underWay = 0;

  constructor(life: LifeCells, callers: Iterable<TurnCaller>) {
    this.#life = life;
    this.#callers = callers;
  }

  /** Takes the calls in all mailboxes, once: whoever rings from now on is heard at the end of the turn, so that the loop goes on turning. */
  look(): void {
    this.#stayAwake();
    if (!this.#life.hear()) return;
    let taken = 0;
    this.#isLooking = true;
    try {
      for (const caller of this.#callers) if (caller.look()) taken++;
    } finally {
      this.#isLooking = false;
    }
    this.#life.crowd = Math.max(taken, this.#underWay);
    this.#wakeAll();
  }

  /** A caller has come. It may have rung before it was one of those who are looked at: its bell was heard then, and its call was not. */
  joined(caller: TurnCaller): void {
    this.#stayAwake();
    caller.look();
  }

  /** A call is waited for. */
  begun(): void {
    this.#underWay++;
  }

  /** A call is not waited for any more. */
  ended(): void {
    this.#underWay--;
  }

  /** There is something for a caller. */
  answered(caller: TurnCaller): void {
    if (!this.#isLooking && this.#underWay === 0) return caller.wake();
    this.#answered.push(caller);
    if (!this.#isLooking) this.#stayAwake();
  }

  #stayAwake(): void {
    if (this.#isAwake) return;
    this.#isAwake = true;
    this.#life.wakeUp();
    setImmediate(this.#onEnd);
  }

  #end(): void {
    this.#wakeAll();
    this.#isAwake = false;
    if (!this.#life.sleep()) this.look();
  }

  #wakeAll(): void {
    for (const caller of this.#answered) caller.wake();
    this.#answered.length = 0;
  }
}
