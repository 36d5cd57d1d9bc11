/** The schemas of the API. The OpenAPI document and the types derive from them. */
import * as z from 'zod';
import { PROBLEM_CODES } from './problems.ts';

const probability = z.number().min(0).max(1);
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const size = z.number().int().positive();
const label = z.string().min(1);
const independent = z
  .literal(true)
  .optional()
  .describe('Present if each label has a probability of its own, so that several or none may apply.');
const unknownValues = z.record(z.string(), z.json());

/** The query parameters of `/api/predict`. */
export const PredictQuery = z.object({
  heatmap: z
    .enum(['0', '1'])
    .optional()
    .meta({ description: '`1` adds a heat map: which parts of the photo support the label.' }),
  top_k: z.coerce
    .number()
    .int()
    .min(1)
    .optional()
    .meta({ description: 'How many labels `scores` lists, at most the number of the model’s labels. Default: all.' }),
});

/** Its values depend on the codecs of the service: the document adds them. */
export const ImageFormat = z.string().describe('Detected from the file’s own bytes.');

export const LabelScore = z
  .object({ label, score: probability })
  .meta({ id: 'LabelScore', description: 'A label and its probability.' });

const Heatmap = z
  .object({
    rows: size,
    columns: size,
    values: z
      .array(probability)
      .describe('`rows * columns` numbers, row by row from the top left, with at most four decimals.'),
  })
  .meta({
    id: 'Heatmap',
    description:
      'How much each part of the photo supports the label: a grid stretched over the upright photo, or over the centre that a model with `input.resize` “fit” sees.',
  });

const ServedModel = z.object({
  name: z.string().describe('The model’s name.'),
  version: z
    .string()
    .regex(/^[0-9a-f]{12}$/)
    .describe('The first 12 hex digits of the SHA-256 of its manifest.'),
});

const Prediction = z
  .object({
    label: label.describe(
      'The verdict. Binary models: the first label if the score is above `threshold`, else the second. Other models: the most probable label.',
    ),
    score: probability
      .optional()
      .describe(
        'Binary models: the probability of the first label. Other models: the probability of `label`. Absent where the service answers labels only.',
      ),
    threshold: probability
      .nullable()
      .describe(
        'Binary models: the score above which the first label wins. Independent labels: the score above which each applies. Null for other models, and where the service answers labels only.',
      ),
    independent,
    scores: z
      .array(LabelScore)
      .optional()
      .describe('All labels, the most probable first. Absent where the service answers labels only.'),
    heatmap: Heatmap.nullable()
      .optional()
      .describe('Only on request. Null where the model has no heat map, or the service hides exact scores.'),
    image: z
      .object({
        format: ImageFormat,
        width: size,
        height: size,
      })
      .describe('The photo’s format, and its size after applying its EXIF orientation.'),
    model: ServedModel,
  })
  .meta({
    id: 'Prediction',
    description: 'The model’s answer for one photo.',
    example: {
      label: 'husky',
      score: 0.971234,
      threshold: 0.5,
      scores: [
        { label: 'husky', score: 0.971234 },
        { label: 'not husky', score: 0.028766 },
      ],
      image: { format: 'jpeg', width: 4000, height: 3000 },
      model: { name: 'husky-lite', version: 'f620061ada7f' },
    },
  });

const Problem = z
  .object({
    type: z.string().describe('`urn:husky-ai:problem:` and the code.'),
    title: z.string().describe('The kind of failure in words.'),
    status: z.number().int().min(400).max(599).describe('The HTTP status.'),
    code: z.enum(PROBLEM_CODES).describe('The kind of failure. Codes are stable.'),
    detail: z.string().describe('What happened in this case.'),
    requestId: z.string().optional().describe('The value of `X-Request-Id`. Absent in the entries of a batch.'),
  })
  .meta({
    id: 'Problem',
    description: 'A failure (RFC 9457).',
    example: {
      type: 'urn:husky-ai:problem:unsupported_media_type',
      title: 'The file format is not supported',
      status: 415,
      code: 'unsupported_media_type',
      detail: 'Accepted formats: JPEG, PNG, GIF, WebP, AVIF, HEIC.',
      requestId: '0f6a1d5e-3a0e-4f6e-9d6b-5d1c8a3c7e21',
    },
  });

const BatchEntry = z
  .union([Prediction, Problem])
  .meta({ id: 'BatchEntry', description: 'The result for one photo of a batch.' });

const HuskyAnswer = z
  .object({
    score: z
      .string()
      .regex(/^(100|\d{1,2})\.\d\d$/)
      .describe('A percentage with two decimals.'),
    text: z.string(),
  })
  .meta({
    id: 'HuskyAnswer',
    description: 'The answer of the original Husky AI server.',
    example: { score: '97.12', text: 'It is a husky!' },
  });

const Service = z.object({
  token: z.boolean().describe('Whether predictions need a bearer token.'),
  score: z.enum(['full', 'rounded', 'label']).describe('How much of the score clients see.'),
  batch: size.describe('The most photos in one request.'),
  bytes: size.describe('The most bytes in a request body.'),
  formats: z
    .array(z.object({ name: z.string(), mediaTypes: z.array(z.string()).min(1) }))
    .describe('The image formats that it accepts.'),
  source: z.string().nullable().describe('A link to the source code of this service.'),
});

const ModelInfo = z
  .object({
    ...ServedModel.shape,
    digest: sha256.describe('The full SHA-256 of the manifest. `version` is its start.'),
    channel: z.string().nullable().describe('The channel that names the version; null if the version is pinned.'),
    pinned: z.boolean(),
    role: z
      .enum(['stable', 'candidate'])
      .describe('`candidate`: a version that only some isolates try, this one among them.'),
    labels: z.array(label),
    independent,
    threshold: probability.nullable(),
    input: z.object({
      width: size,
      height: size,
      color: z.enum(['RGB', 'L']).describe('`L` is greyscale.'),
      resize: z
        .enum(['squeeze', 'fit'])
        .describe('How a photo of another shape becomes the input: squeezed, or cropped at the centre.'),
      resampling: z.enum(['bicubic', 'bilinear', 'lanczos']),
    }),
    heatmap: z
      .object({ rows: size, columns: size })
      .nullable()
      .describe('The grid of its heat maps; null if it has none.'),
    verified: z
      .object({
        method: z.literal('signature'),
        signer: sha256.describe('The fingerprint of the key that signed it.'),
        at: z.iso.datetime(),
      })
      .describe('How and when this isolate verified it.'),
    metrics: unknownValues
      .nullable()
      .describe('What was measured after training. The model’s author defines the content.'),
    files: z.record(z.string(), z.object({ bytes: size, sha256 })),
    source: z.object({ file: z.string(), bytes: size, sha256 }).describe('The Keras file that it was converted from.'),
    tools: z.record(z.string(), z.string()).describe('The versions of the tools that converted it.'),
    service: Service.describe('How this service is set up.'),
  })
  .meta({ id: 'ModelInfo', description: 'The served model, its origin and its verification.' });

const Health = z
  .object({
    status: z.enum(['ok', 'degraded']).describe('`degraded`: it works, but with an older version than the channel’s.'),
    model: ServedModel,
    reason: z
      .object({ code: z.enum(PROBLEM_CODES), detail: z.string(), since: z.iso.datetime() })
      .optional()
      .describe('Why it is degraded.'),
  })
  .meta({
    id: 'Health',
    description: 'A prediction would work.',
    example: { status: 'ok', model: { name: 'husky-lite', version: 'f620061ada7f' } },
  });

export const schemas = { Prediction, Problem, BatchEntry, HuskyAnswer, ModelInfo, Health };

export type PredictQuery = z.infer<typeof PredictQuery>;
export type Prediction = z.infer<typeof Prediction>;
export type Problem = z.infer<typeof Problem>;
export type BatchEntry = z.infer<typeof BatchEntry>;
export type HuskyAnswer = z.infer<typeof HuskyAnswer>;
export type Heatmap = z.infer<typeof Heatmap>;
export type ModelInfo = z.infer<typeof ModelInfo>;
export type Health = z.infer<typeof Health>;
