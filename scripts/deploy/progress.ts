/** Why a step did not come to its end, and what to do about it, one thing a paragraph. */
export class StepFailed extends Error {
  override readonly name = 'StepFailed';
  readonly advice: readonly string[];
  /** Nothing is wrong: it is something that only the owner can add, such as a key or a login. */
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

/** Several things at once that keep a step from its end. */
export class StepsFailed extends Error {
  override readonly name = 'StepsFailed';
  readonly failures: readonly StepFailed[];

  constructor(failures: readonly StepFailed[]) {
    super(failures.map(({ message }) => message).join('; '));
    this.failures = failures;
  }
}

/** What a step has found or done, and the words for it. */
export interface Done<T> {
  readonly value: T;
  readonly said: string;
}

/** Prints one line for each step: its name when it begins, and how it went. */
export class Progress {
  /** What has gone wrong or is missing so far. */
  readonly failures: StepFailed[] = [];

  /**
   * Runs a step and goes on where it fails: what it returns, or undefined.
   *
   * @throws whatever the step throws that is no `StepFailed`
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
      const all = failures.every(({ missing }) => missing);
      console.log(`${all ? 'MISSING' : 'FAILED'}: ${failures.map(({ message }) => message).join('; ')}`);
      this.failures.push(...failures);
      return undefined;
    }
  }

  /**
   * Runs a step that the next ones build upon.
   *
   * @throws {StepsFailed} it has failed
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

/** The advice of these failures as a numbered list; what several say is said once. */
export function listAdvice(failures: readonly StepFailed[]): string {
  const paragraphs = [...new Set(failures.flatMap(({ advice }) => advice))];
  return paragraphs.map((text, index) => `  ${index + 1}. ${text.replaceAll('\n', '\n     ')}`).join('\n');
}
