import * as z from 'zod';
import { InvalidBody, InvalidParameter } from '../../errors.ts';
import type { JsonForm } from '../../predict/json-photos.ts';
import type { Tensor } from '../../predict/tensor-upload.ts';
import { base64Photo, checkPhotos, once, parseBody, photoNumber, topK } from './body.ts';

const INPUT = 'image';
export const OUTPUTS = ['label', 'classes', 'scores'] as const;
export const DATATYPES = { label: 'BYTES', classes: 'BYTES', scores: 'FP32' } as const;
export type OutputName = (typeof OUTPUTS)[number];

const Shape = once(() => z.array(z.number().int().min(0)).min(1).max(8));

const parts = once(() => ({
  id: z.string().max(256).optional().meta({ description: 'Returned with the answer.' }),
  parameters: z
    .object({
      top_k: topK().optional(),
      binary_data_output: z.boolean().optional().meta({ description: 'Whether outputs are binary by default.' }),
    })
    .optional(),
  outputs: z
    .array(
      z.object({
        name: z.enum(OUTPUTS),
        parameters: z
          .object({
            binary_data: z.boolean().optional(),
            // The extensions that would change the answer.
            classification: z.undefined().optional(),
            shared_memory_region: z.undefined().optional(),
          })
          .optional(),
      }),
    )
    .max(OUTPUTS.length)
    .optional(),
}));

const createRequest = <Input extends z.ZodRawShape>(input: Input) =>
  z.object({
    ...parts(),
    inputs: z.tuple([z.object({ name: z.literal(INPUT), datatype: z.literal('BYTES'), ...input })]),
  });

const JsonRest = once(() =>
  createRequest({
    shape: Shape(),
    data: z.array(z.union([photoNumber(), z.array(photoNumber())])),
  }),
);

const BinaryHeader = once(() =>
  createRequest({ shape: Shape(), parameters: z.object({ binary_data_size: z.number().int().min(0) }) }),
);

const Metadata = once(() => z.object({ name: z.string(), datatype: z.string(), shape: z.array(z.number().int()) }));

/** The photos of a request, as the document shows them. */
export const Data = once(() => z.array(base64Photo()).min(1));

/** The name of an output that a client requests, as the document shows it. */
export const OutputName = once(() => z.enum(OUTPUTS));

/** The outputs that a service answers. */
export const listOutputs = (hidesScores: boolean): readonly OutputName[] => (hidesScores ? ['label'] : OUTPUTS);

/** The schemas of the Open Inference Protocol, which is KServe's protocol V2. */
export const openInference = {
  Request: once(() =>
    z
      .object({
        id: parts().id,
        parameters: parts().parameters,
        inputs: z
          .array(
            z.object({
              name: z.literal(INPUT),
              datatype: z.literal('BYTES'),
              shape: Shape().meta({ description: 'Its product is the number of photos.', example: [1] }),
              data: Data(),
            }),
          )
          .min(1)
          .max(1),
        outputs: z
          .array(
            z.object({
              name: OutputName(),
              parameters: z.object({ binary_data: z.boolean().optional() }).optional(),
            }),
          )
          .max(OUTPUTS.length)
          .optional()
          .meta({ description: 'The wanted outputs; all by default.' }),
      })
      .meta({ id: 'OpenInferenceRequest' }),
  ),
  Answer: once(() =>
    z
      .object({
        model_name: z.string(),
        model_version: z.string(),
        id: z.string().optional().describe('The `id` of the request.'),
        outputs: z.array(
          z.object({
            name: z.enum(OUTPUTS),
            datatype: z.enum(['BYTES', 'FP32']),
            shape: z.array(z.number().int()),
            data: z.union([z.array(z.string()), z.array(z.number())]).optional(),
            parameters: z.object({ binary_data_size: z.number().int() }).optional(),
          }),
        ),
      })
      .meta({
        id: 'OpenInferenceAnswer',
        description:
          '`label` is the verdict, `classes` are the labels, the most probable first, and `scores` their probabilities. Binary outputs follow the JSON, whose length is in `Inference-Header-Content-Length`.',
        example: {
          model_name: 'husky-lite',
          model_version: 'f620061ada7f',
          outputs: [
            { name: 'label', datatype: 'BYTES', shape: [1], data: ['husky'] },
            { name: 'classes', datatype: 'BYTES', shape: [1, 2], data: ['husky', 'not husky'] },
            { name: 'scores', datatype: 'FP32', shape: [1, 2], data: [0.971234, 0.028766] },
          ],
        },
      }),
  ),
  Server: once(() =>
    z
      .object({ name: z.string(), version: z.string(), extensions: z.array(z.string()) })
      .meta({ id: 'OpenInferenceServer', description: 'The service.' }),
  ),
  Model: once(() =>
    z
      .object({
        name: z.string(),
        versions: z.array(z.string()),
        platform: z.string(),
        inputs: z.array(Metadata()),
        outputs: z.array(Metadata()),
      })
      .meta({ id: 'OpenInferenceModel', description: 'The served model and its tensors.' }),
  ),
  Live: once(() => z.object({ live: z.literal(true) }).meta({ id: 'OpenInferenceLive' })),
  Ready: once(() => z.object({ ready: z.literal(true) }).meta({ id: 'OpenInferenceReady' })),
  ModelReady: once(() =>
    z.object({ name: z.string(), ready: z.literal(true) }).meta({ id: 'OpenInferenceModelReady' }),
  ),
};

export type OpenInferenceServer = z.infer<ReturnType<typeof openInference.Server>>;
export type OpenInferenceModel = z.infer<ReturnType<typeof openInference.Model>>;
export type OpenInferenceAnswer = z.infer<ReturnType<typeof openInference.Answer>>;

/** An output that a client wants. */
interface WantedOutput {
  readonly name: OutputName;
  readonly binary: boolean;
}

/** An inference request without its photos. */
export interface InferRequest {
  readonly id: string | undefined;
  readonly topK: number | undefined;
  /** Undefined for all outputs in this form. */
  readonly outputs: readonly WantedOutput[] | undefined;
  readonly binary: boolean;
}

type Parts = Pick<z.infer<ReturnType<typeof JsonRest>>, 'id' | 'parameters' | 'outputs'>;

function toInferRequest({ id, parameters, outputs }: Parts): InferRequest {
  const binary = parameters?.binary_data_output ?? false;
  return {
    id,
    topK: parameters?.top_k,
    outputs:
      outputs && outputs.length > 0
        ? outputs.map(({ name, parameters: own }) => ({ name, binary: own?.binary_data ?? binary }))
        : undefined,
    binary,
  };
}

function checkShape(shape: readonly number[], photos: number): void {
  if (shape.reduce((product, size) => product * size, 1) !== photos) {
    throw new InvalidBody(`'inputs.0.shape' does not match its ${photos} elements.`);
  }
}

/** The photos as base64 in `data`. */
export const openInferenceForm: JsonForm<InferRequest> = {
  places: "'inputs[].data[]'",
  isPhoto: ([inputs, input, data, ...indexes]) =>
    inputs === 'inputs' &&
    input === null &&
    data === 'data' &&
    (indexes.length === 1 || indexes.length === 2) &&
    indexes.every((index) => index === null),
  parse(rest, photos) {
    const request = parseBody(JsonRest(), rest);
    const [{ shape, data }] = request.inputs;
    checkPhotos(data.flat(), photos);
    checkShape(shape, photos);
    return toInferRequest(request);
  },
};

/** The JSON header before a binary tensor. */
export function parseInferHeader(header: unknown, tensor: Tensor): InferRequest {
  const request = parseBody(BinaryHeader(), header);
  const [{ shape, parameters }] = request.inputs;
  if (parameters.binary_data_size !== tensor.bytes) {
    throw new InvalidBody("'inputs.0.parameters.binary_data_size' is not the size of the tensor.");
  }
  checkShape(shape, tensor.elements);
  return toInferRequest(request);
}

/**
 * Checks that the service answers these outputs.
 *
 * @throws {InvalidParameter} the client wants scores, and the service hides them
 */
export function checkOutputs({ outputs = [] }: InferRequest, hidesScores: boolean): void {
  if (hidesScores && outputs.some(({ name }) => name !== 'label')) {
    throw new InvalidParameter("This service answers the output 'label' only.");
  }
}

/** The model and its tensors. Shapes with -1 depend on the request. */
export function describeTensors(name: string, version: string, hidesScores: boolean): OpenInferenceModel {
  return {
    name,
    versions: [version],
    platform: 'onnxruntime_onnx',
    inputs: [{ name: INPUT, datatype: 'BYTES', shape: [-1] }],
    outputs: listOutputs(hidesScores).map((output) => ({
      name: output,
      datatype: DATATYPES[output],
      shape: output === 'label' ? [-1] : [-1, -1],
    })),
  };
}
