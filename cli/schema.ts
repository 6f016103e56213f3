import * as z from './zod.js';

/**
 * zod for all of cli/, told not to compile its schemas: that takes a tenth of a second, more than all
 * the parsing there is to do.
 */
z.config({ jitless: true });

export { z };
