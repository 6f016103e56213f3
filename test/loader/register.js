// Lets Node.js run TypeScript sources: node --import ./test/loader/register.js FILE.ts
//
// Types are not checked (`npm run check` does that). Each file is compiled again only when it has changed:
// see hooks.js.
import * as module from 'node:module';

process.setSourceMapsEnabled(true);
// Node.js before 22.15 has only module.register, which needs a thread.
if (module.registerHooks) module.registerHooks(await import('./hooks.js'));
else module.register('./hooks.js', import.meta.url);
