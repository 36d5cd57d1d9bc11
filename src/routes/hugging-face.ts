import { Hono } from 'hono';
import { huggingFaceForm, toHuggingFace } from '../api/protocols/hugging-face.ts';
import type { AppEnv } from '../env.ts';
import { gate } from '../http/gate.ts';
import { isJson } from '../http/upload-source.ts';
import { jsonUpload } from '../predict/json-upload.ts';
import { readUpload } from '../predict/upload.ts';
import { loadNamed, predictAll } from './named-model.ts';

/** `POST /models/{name}`: image classification as Hugging Face's clients send it, raw or as JSON. */
export const huggingFace = new Hono<AppEnv>().post('/:name', gate, async (c) => {
  const classifier = await loadNamed(c);
  const [prediction] = await predictAll(c, classifier, (check) =>
    isJson(c.req.raw)
      ? jsonUpload(huggingFaceForm, check)
      : (source, memory, limits) => readUpload(source, memory, limits, 'first'),
  );
  if (!prediction) throw new Error('an upload without photos');
  return c.json(toHuggingFace(prediction));
});
