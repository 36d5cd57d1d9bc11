import * as z from 'zod';
import type { JsonForm } from '../../predict/json-photos.ts';
import { LabelScore, type Prediction } from '../schemas.ts';
import { base64Photo, checkPhotos, once, parseBody, photoNumber, topK } from './body.ts';

const Parameters = once(() => z.object({ top_k: topK().optional() }));

const Rest = once(() =>
  z.object({
    inputs: photoNumber(),
    // The model decides it. Ignoring it would return other scores than the client expects.
    parameters: Parameters().extend({ function_to_apply: z.undefined().optional() }).optional(),
  }),
);

/** The schemas of Hugging Face's image classification. */
export const huggingFace = {
  Request: once(() =>
    z.object({ inputs: base64Photo(), parameters: Parameters().optional() }).meta({ id: 'HuggingFaceRequest' }),
  ),
  Answer: once(() =>
    z.array(LabelScore).meta({
      id: 'HuggingFaceAnswer',
      description: 'The labels, the most probable first.',
      example: [
        { label: 'husky', score: 0.971234 },
        { label: 'not husky', score: 0.028766 },
      ],
    }),
  ),
};

export type HuggingFaceAnswer = z.infer<ReturnType<typeof huggingFace.Answer>>;

/** `{"inputs": "<base64>", "parameters": {"top_k": 3}}`. */
export const huggingFaceForm: JsonForm<{ readonly topK: number | undefined }> = {
  places: "'inputs'",
  isPhoto: ([key, ...further]) => key === 'inputs' && further.length === 0,
  parse(rest, photos) {
    const { inputs, parameters } = parseBody(Rest(), rest);
    checkPhotos([inputs], photos);
    return { topK: parameters?.top_k };
  },
};

/** The answer for one photo. Clients require scores: where the service hides them, the verdict alone, with 1. */
export function toHuggingFace({ label, scores }: Prediction): HuggingFaceAnswer {
  return scores ?? [{ label, score: 1 }];
}
