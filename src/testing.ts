/// <reference types="node" preserve="true" />
/**
 * The door `filrouge/testing`: what tests need and servers do not.
 *
 * @module
 */
export { createVisitor, type Visitor, type VisitorAnswer, type VisitorOptions } from './guests/visitor.ts';
export { type RequestFileOptions, requestFromFile } from './helpers/request-from-file.ts';
