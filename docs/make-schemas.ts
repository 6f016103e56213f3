// Writes the JSON schemas of daxrepro.yaml and of case files, which editors read, from the schemas that
// the program reads them by. `npm run schemas`; a test tells when they are old.
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { toJSONSchema, type ZodType } from 'zod';
import { caseSchema } from '../cli/compare/case-schema.js';
import { configurationSchema } from '../cli/configuration/schema.js';

/** By their names in docs/. */
export function schemas(): Record<string, string> {
  return {
    'daxrepro.schema.json': publish(
      configurationSchema,
      'daxrepro.yaml: what a project says once for all its runs',
    ),
    'case.schema.json': publish(caseSchema, 'A case file of daxrepro compare'),
  };
}

function publish(schema: ZodType, title: string): string {
  const made = toJSONSchema(schema, {
    io: 'input',
    override: ({ jsonSchema }) => {
      const { orAlone, or, ...own } = jsonSchema as Record<string, unknown>;
      if (!orAlone && !or) return;
      // What is read as a list or a map may be written shorter.
      const { description, ...list } = own;
      for (const key of Object.keys(jsonSchema))
        delete (jsonSchema as Record<string, unknown>)[key];
      const short = or ?? list['items'];
      Object.assign(jsonSchema, description ? { description } : {}, { anyOf: [short, list] });
    },
  });
  const { $schema, ...rest } = made;
  return `${JSON.stringify({ $schema, title, ...rest }, undefined, 2)}\n`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const [name, text] of Object.entries(schemas())) {
    writeFileSync(new URL(name, import.meta.url), text);
  }
}
