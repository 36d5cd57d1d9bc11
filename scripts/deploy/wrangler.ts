import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { execa } from 'execa';
import * as z from 'zod';
import { WRANGLER } from '../wrangler-dev.ts';

/** The machine-readable lines that wrangler writes to `WRANGLER_OUTPUT_FILE_PATH`, as far as they are used here. */
const Entry = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('deploy'),
    version_id: z.string().nullable(),
    targets: z.array(z.string()).optional(),
  }),
  z.object({ type: z.literal('command-failed'), code: z.number().optional(), message: z.string() }),
]);

const ERROR_MARK = '✘ [ERROR]';

export interface WranglerResult {
  readonly ok: boolean;
  readonly stdout: string;
  /** Its error message, without colors, advertisements and log files. */
  readonly reason: string;
  /** The API's error code, if any. */
  readonly code: number | undefined;
  /** The addresses, schedules and other targets of a deployment. */
  readonly targets: readonly string[];
  /** The id of the uploaded version of the Worker. */
  readonly version: string | undefined;
}

/** Runs the project's own wrangler without a terminal, so that it asks no questions. */
export async function runWrangler(...args: readonly string[]): Promise<WranglerResult> {
  const folder = await mkdtemp(join(tmpdir(), 'husky-ai-wrangler-'));
  const log = join(folder, 'output.ndjson');
  try {
    const { exitCode, stdout, stderr } = await execa(process.execPath, [WRANGLER, ...args], {
      stdin: 'ignore',
      reject: false,
      env: {
        WRANGLER_OUTPUT_FILE_PATH: log,
        WRANGLER_SEND_METRICS: 'false',
        WRANGLER_HIDE_BANNER: 'true',
        WRANGLER_LOG: 'log',
        FORCE_COLOR: '0',
      },
    });
    const entries = parseEntries(await readFile(log, 'utf8').catch(() => ''));
    const deployed = entries.find((entry) => entry.type === 'deploy');
    const failed = entries.find((entry) => entry.type === 'command-failed');
    return {
      ok: exitCode === 0,
      stdout,
      reason: findReason(stderr) || failed?.message || `wrangler ended with status ${exitCode}`,
      code: failed?.code,
      targets: deployed?.targets ?? [],
      version: deployed?.version_id ?? undefined,
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function parseEntries(ndjson: string): z.infer<typeof Entry>[] {
  return ndjson.split('\n').flatMap((line) => {
    const parsed = Entry.safeParse(line === '' ? undefined : JSON.parse(line));
    return parsed.success ? [parsed.data] : [];
  });
}

/** The error message, which follows any warnings. */
function findReason(stderr: string): string {
  const text = stripVTControlCharacters(stderr);
  return text
    .slice(Math.max(0, text.indexOf(ERROR_MARK)))
    .replace(ERROR_MARK, '')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !/please open an issue|Logs were written/.test(line))
    .join(' ');
}
