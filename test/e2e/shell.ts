/** Commands as a reader of the documentation types them: in a shell, in the root of a project. */
import { execa } from 'execa';

/** The longest that a command may take, in milliseconds. */
const TIMEOUT = 600_000;

/** A command that runs until it is stopped. */
export interface Started {
  /** Resolves with the output so far as soon as that is complete. */
  until(isComplete: (output: string) => boolean): Promise<string>;
  /** Ends the command and all that it has started. */
  stop(): Promise<void>;
}

const shell = (folder: string, options: { timeout?: number }) =>
  execa({
    ...options,
    cwd: folder,
    shell: true,
    all: true,
    killDescendants: true,
    extendEnv: false,
    env: environment(),
  });

/**
 * Runs a command to its end and returns its output.
 *
 * @throws {ExecaError} the command fails or takes too long
 */
export async function runIn(folder: string, command: string): Promise<string> {
  const { all } = await shell(folder, { timeout: TIMEOUT })(command);
  return all;
}

/** Starts a command that runs until it is stopped. */
export function startIn(folder: string, command: string): Started {
  const child = shell(folder, {})(command);
  const decoder = new TextDecoder();
  let output = '';
  child.all.on('data', (bytes: Uint8Array) => {
    output += decoder.decode(bytes, { stream: true });
  });
  const ended = child.then(
    () => new Error(`${command} ended:\n${output}`),
    (error: Error) => error,
  );
  return {
    until: (isComplete) =>
      new Promise((resolve, reject) => {
        child.all.on('data', () => {
          if (isComplete(output)) resolve(output);
        });
        void ended.then(reject);
      }),
    async stop() {
      child.kill();
      await ended;
    },
  };
}

/** Drops the variables that npm sets for scripts: a nested npm would take this project for the command's. */
function environment(): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(([name]) => !/^(npm_|INIT_CWD$)/i.test(name));
  return { ...Object.fromEntries(own), NO_COLOR: '1' };
}
