import * as z from './zod.js';

/** zod without schema compilation, which takes 0.1 s, longer than all our parsing. */
z.config({ jitless: true });

export { z };
