import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import * as z from 'zod';
import { WRANGLER } from '../wrangler-dev.ts';

/** The lines that wrangler writes for programs to read (`WRANGLER_OUTPUT_FILE_PATH`), as far as they are used here. */
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
  /** What it says for people when it has failed: its own words, without colours, advertisements and log files. */
  readonly reason: string;
  /** The API's number for the failure, where there is one. */
  readonly code: number | undefined;
  /** The addresses, schedules and other things that a deployment set up. */
  readonly targets: readonly string[];
  /** The version of the Worker that was uploaded. */
  readonly version: string | undefined;
}

/** Runs the project's own wrangler to its end, without a terminal: it asks nothing. */
export async function runWrangler(...args: readonly string[]): Promise<WranglerResult> {
  const folder = await mkdtemp(join(tmpdir(), 'husky-ai-wrangler-'));
  const log = join(folder, 'output.ndjson');
  try {
    const { code, stdout, stderr } = await run(args, log);
    const entries = parseEntries(await readFile(log, 'utf8').catch(() => ''));
    const deployed = entries.find((entry) => entry.type === 'deploy');
    const failed = entries.find((entry) => entry.type === 'command-failed');
    return {
      ok: code === 0,
      stdout,
      reason: reasonIn(stderr) || failed?.message || `wrangler ended with ${code}`,
      code: failed?.code,
      targets: deployed?.targets ?? [],
      version: deployed?.version_id ?? undefined,
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function run(args: readonly string[], log: string): Promise<Finished> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [WRANGLER, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...process.env,
        WRANGLER_OUTPUT_FILE_PATH: log,
        WRANGLER_SEND_METRICS: 'false',
        WRANGLER_HIDE_BANNER: 'true',
        WRANGLER_LOG: 'log',
        FORCE_COLOR: '0',
      },
    });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, stdout, stderr }));
  });
}

function parseEntries(ndjson: string): z.infer<typeof Entry>[] {
  return ndjson.split('\n').flatMap((line) => {
    const parsed = Entry.safeParse(line === '' ? undefined : JSON.parse(line));
    return parsed.success ? [parsed.data] : [];
  });
}

/** The error in it: warnings come before. */
function reasonIn(stderr: string): string {
  const text = stripVTControlCharacters(stderr);
  return text
    .slice(Math.max(0, text.indexOf(ERROR_MARK)))
    .replace(ERROR_MARK, '')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !/please open an issue|Logs were written/.test(line))
    .join(' ');
}
