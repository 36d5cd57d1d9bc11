import * as z from 'zod';
import type { JsonForm } from '../../predict/json-photos.ts';
import type { Prediction } from '../schemas.ts';
import { base64Photo, checkPhotos, once, parseBody, topK } from './body.ts';

const Parameters = once(() => z.object({ top_k: topK().optional() }));

const Rest = once(() =>
  z.object({
    instances: z.array(z.record(z.string(), z.unknown())).min(1),
    parameters: Parameters().optional(),
  }),
);

/** The photos of a request, as the document shows them. */
export const Instances = once(() => {
  const photo = z.object({ b64: base64Photo() });
  return z
    .array(z.union([photo, z.object({ image_bytes: photo })]))
    .min(1)
    .meta({ description: 'The photos. The name around `b64` may be another.' });
});

/** The schemas of KServe's protocol V1, which is TensorFlow Serving's. */
export const kserve = {
  Request: once(() =>
    z.object({ instances: Instances(), parameters: Parameters().optional() }).meta({ id: 'KServeRequest' }),
  ),
  Answer: once(() =>
    z
      .object({
        predictions: z.array(
          z.object({
            label: z.string().describe('The verdict, as `/api/predict` decides it.'),
            classes: z.array(z.string()).optional().describe('The labels, the most probable first.'),
            scores: z.array(z.number()).optional().describe('Their probabilities.'),
          }),
        ),
      })
      .meta({
        id: 'KServeAnswer',
        description:
          'One prediction for each photo. The outputs have the names of TensorFlow’s classification signature.',
        example: {
          predictions: [{ label: 'husky', classes: ['husky', 'not husky'], scores: [0.971234, 0.028766] }],
        },
      }),
  ),
  Status: once(() =>
    z
      .object({
        name: z.string(),
        ready: z.literal(true),
        model_version_status: z.array(
          z.object({
            version: z.string(),
            state: z.literal('AVAILABLE'),
            status: z.object({ error_code: z.literal('OK'), error_message: z.literal('') }),
          }),
        ),
      })
      .meta({
        id: 'KServeStatus',
        description: 'The model is ready, in KServe’s form (`name`, `ready`) and in TensorFlow Serving’s.',
      }),
  ),
};

export type KServeAnswer = z.infer<ReturnType<typeof kserve.Answer>>;
export type KServeStatus = z.infer<ReturnType<typeof kserve.Status>>;

/** `{"instances": [{"b64": "<base64>"}]}`, or with a name around `{"b64": …}`. */
export const kserveForm: JsonForm<{ readonly topK: number | undefined }> = {
  places: "'instances[].b64'",
  isPhoto: (path) =>
    path[0] === 'instances' && path[1] === null && (path.length === 3 || path.length === 4) && path.at(-1) === 'b64',
  parse(rest, photos) {
    const { instances, parameters } = parseBody(Rest(), rest);
    checkPhotos(instances.map(findPhoto), photos);
    return { topK: parameters?.top_k };
  },
};

/** The number of the photo in an instance; undefined where it has none, or several. */
function findPhoto(instance: Readonly<Record<string, unknown>>): unknown {
  const found = [instance, ...Object.values(instance)].flatMap((value) =>
    typeof value === 'object' && value !== null && 'b64' in value ? [value.b64] : [],
  );
  return found.length === 1 ? found[0] : undefined;
}

export function toKServe(predictions: readonly Prediction[]): KServeAnswer {
  return {
    predictions: predictions.map(({ label, scores }) => ({
      label,
      ...(scores && { classes: scores.map((each) => each.label), scores: scores.map(({ score }) => score) }),
    })),
  };
}

export function toKServeStatus(name: string, version: string): KServeStatus {
  const status = { error_code: 'OK', error_message: '' } as const;
  return { name, ready: true, model_version_status: [{ version, state: 'AVAILABLE', status }] };
}
