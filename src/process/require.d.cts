import type * as cookie from 'cookie';
import type * as mimeTypes from 'mime-types';

/** Loads cookie on the first call. */
export function cookiePackage(): typeof cookie;
/** Loads mime-types on the first call. */
export function mimeTypesPackage(): typeof mimeTypes;
