/** Commands as a reader of the documentation types them: in a shell, in the root of a project. */
import { type ChildProcess, spawn } from 'node:child_process';

/** No command of the documentation takes longer, in milliseconds. */
const LONGEST = 600_000;

export interface Started {
  /** Waits until what it has printed is as wanted; the output so far. */
  until(isDone: (output: string) => boolean): Promise<string>;
  /** Ends it and all that it has started. */
  stop(): Promise<void>;
}

/**
 * Runs a command to its end and returns all that it has printed.
 *
 * @throws {Error} it fails, or takes too long
 */
export async function runIn(folder: string, command: string): Promise<string> {
  const { child, output } = open(folder, command);
  const timer = setTimeout(() => signal(child, 'SIGKILL'), LONGEST);
  const code = await ended(child);
  clearTimeout(timer);
  if (code !== 0) throw new Error(`${command} ended with ${code}:\n${output()}`);
  return output();
}

/** Starts a command that goes on until it is stopped. */
export function startIn(folder: string, command: string): Started {
  const { child, output } = open(folder, command);
  const end = ended(child);
  return {
    until: (isDone) =>
      new Promise((resolve, reject) => {
        const look = () => {
          if (isDone(output())) resolve(output());
        };
        for (const stream of [child.stdout, child.stderr]) stream?.on('data', look);
        void end.then(() => reject(new Error(`${command} ended:\n${output()}`)));
      }),
    async stop() {
      signal(child, 'SIGTERM');
      await end;
    },
  };
}

function open(folder: string, command: string) {
  const child = spawn(command, { cwd: folder, shell: true, detached: true, env: environment() });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  return { child, output: () => output };
}

/** Without what npm tells the scripts that it runs: it would take these tests' own project for the command's. */
function environment(): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(([name]) => !/^(npm_|INIT_CWD$)/i.test(name));
  return { ...Object.fromEntries(own), NO_COLOR: '1' };
}

const ended = (child: ChildProcess) =>
  new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });

/** To the command and all that it has started: `detached` made them a group of their own. */
function signal({ pid, exitCode, signalCode }: ChildProcess, name: NodeJS.Signals): void {
  if (pid !== undefined && exitCode === null && signalCode === null) process.kill(-pid, name);
}
