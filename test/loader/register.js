// Lets Node.js run TypeScript sources: node --import ./test/loader/register.js FILE.ts
//
// Types are not checked (`npm run check` does that), and each file is compiled only when it has
// changed: see hooks.js.
import * as module from 'node:module';

process.setSourceMapsEnabled(true);
// module.register, which needs a thread, is all that Node.js before 22.15 has.
if (module.registerHooks) module.registerHooks(await import('./hooks.js'));
else module.register('./hooks.js', import.meta.url);
