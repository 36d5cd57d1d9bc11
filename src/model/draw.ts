import type { Pointer } from './store.ts';

/** What a version is to its channel. */
export type Role = 'stable' | 'candidate';

/** The version that an isolate serves, and its role. */
export interface Choice {
  readonly version: string;
  readonly role: Role;
}

/**
 * Decides whether an isolate serves its channel's candidate. It draws once for each candidate, by a random number and
 * nothing of a visitor. A changed share leaves the draw as it is; without a candidate, it is forgotten.
 */
export class Draw {
  readonly #random: () => number;
  #drawn: { readonly candidate: string; readonly wins: boolean } | undefined;

  /** @param random a number from 0 to 1, without 1 */
  constructor(random: () => number = randomNumber) {
    this.#random = random;
  }

  /** The version to serve under this pointer. */
  choose({ version, candidate }: Pick<Pointer, 'version' | 'candidate'>): Choice {
    if (!candidate || candidate.version === version) {
      this.#drawn = undefined;
      return { version, role: 'stable' };
    }
    if (this.#drawn?.candidate !== candidate.version) {
      this.#drawn = { candidate: candidate.version, wins: this.#random() * 100 < candidate.share };
    }
    return this.#drawn.wins ? { version: candidate.version, role: 'candidate' } : { version, role: 'stable' };
  }

  /** Gives up the candidate for as long as the channel names it. Returns its version if the isolate had drawn it. */
  lose(): string | undefined {
    if (!this.#drawn?.wins) return undefined;
    const { candidate } = this.#drawn;
    this.#drawn = { candidate, wins: false };
    return candidate;
  }
}

const randomNumber = () => (crypto.getRandomValues(new Uint32Array(1))[0] ?? 0) / 2 ** 32;
