import type { Context } from 'hono';
import { accepts } from 'hono/accepts';

const HTML = 'text/html';
const JSON_ = 'application/json';

/** One range of the `Accept` header. */
interface Accept {
  readonly type: string;
  readonly q: number;
}

/** Whether the client prefers a page to JSON, as browsers do when they follow a link or submit a form. */
export function prefersHtml(c: Context): boolean {
  const match = (types: readonly Accept[]) => (quality(types, HTML) > quality(types, JSON_) ? HTML : JSON_);
  return (
    accepts(c, {
      header: 'Accept',
      supports: [JSON_, HTML],
      default: JSON_,
      match: (types) => match(types),
    }) === HTML
  );
}

/** The quality of a type, from the most specific range that matches it (RFC 9110, section 12.5.1). */
function quality(types: readonly Accept[], wanted: string): number {
  const [main] = wanted.split('/');
  for (const range of [wanted, `${main}/*`, '*/*']) {
    const found = types.find(({ type }) => type.toLowerCase() === range);
    if (found) return found.q;
  }
  return 0;
}
