/** Why a step failed, and what to do about it, one paragraph per action. */
export class StepFailed extends Error {
  override readonly name = 'StepFailed';
  readonly advice: readonly string[];
  /** Nothing is wrong, but the owner has yet to add something, such as a key or a login. */
  readonly missing: boolean;

  constructor(
    message: string,
    advice: readonly string[],
    options: ErrorOptions & { missing?: boolean } = {},
  ) {
    super(message, options);
    this.advice = advice;
    this.missing = options.missing ?? false;
  }
}

/** A step failed for more than one reason. */
export class StepsFailed extends Error {
  override readonly name = 'StepsFailed';
  readonly failures: readonly StepFailed[];

  constructor(failures: readonly StepFailed[]) {
    super(failures.map(({ message }) => message).join('; '));
    this.failures = failures;
  }
}

/** The result of a step, and how to report it. */
export interface Done<T> {
  readonly value: T;
  readonly said: string;
}

/** Prints one line per step: its name when it begins, then its result. */
export class Progress {
  /** What is wrong or missing so far. */
  readonly failures: StepFailed[] = [];

  /**
   * Runs a step and continues if it fails: returns its value, or undefined.
   *
   * @throws what the step throws, except `StepFailed` and `StepsFailed`
   */
  async check<T>(name: string, step: () => Promise<Done<T>>): Promise<T | undefined> {
    process.stdout.write(`${name} … `);
    try {
      const { value, said } = await step();
      console.log(`ok, ${said}`);
      return value;
    } catch (error) {
      const failures = failuresIn(error);
      if (!failures) {
        console.log('FAILED');
        throw error;
      }
      const missingOnly = failures.every(({ missing }) => missing);
      console.log(
        `${missingOnly ? 'MISSING' : 'FAILED'}: ${failures.map(({ message }) => message).join('; ')}`,
      );
      this.failures.push(...failures);
      return undefined;
    }
  }

  /**
   * Runs a step that later steps depend on.
   *
   * @throws {StepsFailed} it failed
   */
  async step<T>(name: string, step: () => Promise<Done<T>>): Promise<T> {
    let done: Done<T> | undefined;
    await this.check(name, async () => {
      done = await step();
      return done;
    });
    if (!done) throw new StepsFailed(this.failures);
    return done.value;
  }
}

function failuresIn(error: unknown): readonly StepFailed[] | undefined {
  if (error instanceof StepFailed) return [error];
  return error instanceof StepsFailed ? error.failures : undefined;
}

/** The advice of all failures as a numbered list, without repetitions. */
export function listAdvice(failures: readonly StepFailed[]): string {
  const paragraphs = [...new Set(failures.flatMap(({ advice }) => advice))];
  return paragraphs.map((text, index) => `  ${index + 1}. ${text.replaceAll('\n', '\n     ')}`).join('\n');
}

/** The message of whatever was thrown. */
export const reasonOf = (error: unknown): string =>
  error instanceof Error ? error.message.trim() : String(error);
