import * as z from 'zod';
import type { JsonForm } from '../../predict/json-photos.ts';
import { base64Photo, checkPhotos, once, parseBody, photoNumber } from './body.ts';

const Rest = once(() => z.object({ image: photoNumber() }));

/** The JSON body of `/api/predict`. */
export const ImageRequest = once(() => z.object({ image: base64Photo() }).meta({ id: 'ImageRequest' }));

/** `{"image": "<base64>"}`. */
export const imageForm: JsonForm<true> = {
  places: "'image'",
  isPhoto: ([key, ...further]) => key === 'image' && further.length === 0,
  parse(rest, photos) {
    checkPhotos([parseBody(Rest(), rest).image], photos);
    return true;
  },
};
