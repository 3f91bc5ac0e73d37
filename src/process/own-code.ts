/**
 * Where our own code lies.
 *
 * @module
 */

/**
 * The URL of the folder of our own code, whose frames say nothing about the line at which a handler stands. Undefined when this module lies in a bundle of
 * the user's, as one file with the user's code.
 */
export const OWN_CODE: string | undefined = /^(.*\/(?:(?:src|modules)(?=\/process\/)|dist(?=\/parts\/)))\//.exec(import.meta.url)?.[1];
