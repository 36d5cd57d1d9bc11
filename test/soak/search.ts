import type { Random } from '../random.ts';

/** One property of a recipe: how to draw it, and how to change it a little. */
export interface Gene<T> {
  draw(random: Random): T;
  change(value: T, random: Random): T;
}

export type Genes<Recipe> = { readonly [Key in keyof Recipe]: Gene<Recipe[Key]> };

/** Whole numbers on a logarithmic scale. */
export function integer(min: number, max: number): Gene<number> {
  const clamp = (value: number) => Math.min(max, Math.max(min, Math.round(value)));
  return {
    draw: (random) => clamp((min + 1) * ((max + 1) / (min + 1)) ** random() - 1),
    change: (value, random) => clamp((value + 1) * 4 ** (2 * random() - 1) - 1),
  };
}

export function choice<const T>(...values: readonly [T, ...T[]]): Gene<T> {
  const draw = (random: Random) => values[Math.floor(random() * values.length)] ?? values[0];
  return { draw, change: (_, random) => draw(random) };
}

export function record<Recipe extends object>(genes: Genes<Recipe>): Gene<Recipe> {
  const keys = Object.keys(genes) as (keyof Recipe)[];
  return {
    draw: (random) => {
      const drawn: Partial<Recipe> = {};
      for (const key of keys) drawn[key] = genes[key].draw(random);
      return drawn as Recipe;
    },
    change: (recipe, random) => {
      const changed = { ...recipe };
      for (let times = 1 + Math.floor(random() * 3); times > 0; times--) {
        const key = keys[Math.floor(random() * keys.length)];
        if (key !== undefined) changed[key] = genes[key].change(changed[key], random);
      }
      return changed;
    },
  };
}

/** Tries without progress after which a search starts again. */
const STUCK = 30;

/** Hill climbing: keeps a change that raises the fitness, and starts again where none does. */
export class Climber<Recipe> {
  readonly #gene: Gene<Recipe>;
  readonly #random: Random;
  #best: { readonly recipe: Recipe; readonly fitness: number } | undefined;
  #failed = 0;

  constructor(gene: Gene<Recipe>, random: Random) {
    this.#gene = gene;
    this.#random = random;
  }

  /** @param measure returns the fitness of a recipe */
  async step(measure: (recipe: Recipe) => Promise<number>): Promise<void> {
    if (this.#failed > STUCK) this.#best = undefined;
    const recipe = this.#best ? this.#gene.change(this.#best.recipe, this.#random) : this.#gene.draw(this.#random);
    const fitness = await measure(recipe);
    this.#failed = this.#best && fitness <= this.#best.fitness ? this.#failed + 1 : 0;
    if (this.#failed === 0) this.#best = { recipe, fitness };
  }
}
