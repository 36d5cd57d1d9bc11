import * as z from 'zod';
import { COLOURS } from '../chart.ts';
import { table } from '../table.ts';
import { reporter } from './report.ts';

/** The platform's limit for a Worker, before compression. */
const LIMIT = 64 * 2 ** 20;

/** Where it goes; what it is for. */
const PLACES = {
  worker: { title: 'the Worker', colour: COLOURS.blue },
  assets: { title: 'static assets', colour: COLOURS.green },
  bucket: { title: 'the bucket', colour: COLOURS.orange },
} as const;

export type Place = keyof typeof PLACES;
const PLACE_NAMES = Object.keys(PLACES) as [Place, ...Place[]];

const Size = z.object({
  parts: z.array(
    z.object({
      name: z.string(),
      place: z.enum(PLACE_NAMES),
      bytes: z.number(),
      /** Each file by itself, as gzip does it by default. */
      gzipBytes: z.number(),
    }),
  ),
});
type Part = z.infer<typeof Size>['parts'][number];

const kilobytes = (bytes: number) => (bytes / 1e3).toFixed(1);
const megabytes = (bytes: number) => (bytes / 1e6).toFixed(1);

export const size = reporter(Size, ({ parts }) => {
  const sum = (place: Place, of: (part: Part) => number) =>
    parts.filter((part) => part.place === place).reduce((total, part) => total + of(part), 0);
  const worker = sum('worker', ({ bytes }) => bytes);
  const zipped = sum('worker', ({ gzipBytes }) => gzipBytes);
  const sorted = parts.toSorted(
    (a, b) => PLACE_NAMES.indexOf(a.place) - PLACE_NAMES.indexOf(b.place) || b.bytes - a.bytes,
  );
  const rows = sorted.map(({ name, place, bytes, gzipBytes }) => [
    name,
    PLACES[place].title,
    kilobytes(bytes),
    kilobytes(gzipBytes),
    place === 'worker' ? `${((gzipBytes / zipped) * 100).toFixed(0)} %` : '',
  ]);
  const note = `The Worker in all: ${megabytes(worker)} MB, gzipped ${megabytes(zipped)} MB; the platform's limit is ${megabytes(LIMIT)} MB before compression.`;
  return {
    tables: [table(['part', 'goes to', 'KB', 'gzip, KB', 'of the Worker'], rows), note],
    figures: {
      'worker-mb': megabytes(worker),
      'worker-gzip-mb': megabytes(zipped),
      'assets-kb': kilobytes(sum('assets', ({ bytes }) => bytes)),
      'model-mb': megabytes(sum('bucket', ({ bytes }) => bytes)),
    },
    charts: {
      size: {
        title: 'What is uploaded',
        subtitle: 'gzipped, in kilobytes',
        unit: 'KB',
        legend: Object.values(PLACES).map(({ title, colour }) => ({ label: title, colour })),
        groups: sorted.map(({ name, place, gzipBytes }) => ({
          label: name,
          bars: [{ label: name, parts: [{ value: gzipBytes / 1e3, colour: PLACES[place].colour }] }],
        })),
      },
    },
  };
});
