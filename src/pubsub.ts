/// <reference types="node" preserve="true" />
/**
 * The door `filrouge/pubsub`: messages to all workers of a server, and to all machines.
 *
 * @module
 */
export {
  type Channel,
  type ChannelOptions,
  createChannel,
  type Messages,
  type MessagesOptions,
  type Overflow,
  type RedisPublisher,
  type SubscribeOptions,
  type Subscription,
} from './helpers/pubsub.ts';
