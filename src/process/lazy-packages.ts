/**
 * Packages that are loaded on first use; require.cjs says how. It is imported from here alone, so that the bundled part that holds this module is the
 * only one to name that file, which lies beside it.
 *
 * @module
 */
export { cookiePackage, mimeTypesPackage } from './require.cjs';
