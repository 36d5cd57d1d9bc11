import { expect, test } from 'vitest';
import { findCodec } from '../../../src/image/codec.ts';
import { codecs } from '../../../src/image/codecs.ts';
import { nameForeign } from '../../../src/image/foreign.ts';
import { pictures } from '../pictures/pictures.ts';

/** The bytes of a text in Latin-1, padded with zeros to at least this length. */
const latin1 = (text: string, length = 0) =>
  Uint8Array.from({ length: Math.max(text.length, length) }, (_, i) => text.charCodeAt(i) || 0);

const at = (position: number, text: string) => latin1('\0'.repeat(position) + text);
const box = (type: string, brand = '') => latin1(`\0\0\0\x18${type}${brand}\0\0\0\0`);
/** A TIFF whose directory has one entry with this tag. */
const tiff = (tag: number) =>
  Uint8Array.of(0x4d, 0x4d, 0, 42, 0, 0, 0, 8, 0, 1, tag >> 8, tag, ...new Array<number>(14).fill(0));

test.each([
  ['a BMP', latin1('BM\x46\0\0\0\0\0\0\0\x36\0\0\0', 70)],
  ['a TIFF', latin1('II*\0\x08\0\0\0\0\0')],
  ['a TIFF', tiff(256)],
  ['a TIFF', latin1('MM\0*')],
  ['a big TIFF', latin1('II+\0\x08\0\0\0')],
  ['a raw photo', tiff(50_706)],
  ['a raw photo', tiff(330)],
  ['a raw photo', latin1('II*\0\x10\0\0\0CR\x02\0')],
  ['a raw photo', latin1('IIU\0\x18\0\0\0')],
  ['a raw photo', latin1('FUJIFILMCCD-RAW 0201')],
  ['a raw photo', box('ftyp', 'crx ')],
  ['a JPEG XL', latin1('\xff\x0a\x7f')],
  ['a JPEG XL', latin1('\0\0\0\x0cJXL \r\n\x87\n')],
  ['a JPEG 2000', latin1('\0\0\0\x0cjP  \r\n\x87\n')],
  ['a JPEG 2000', latin1('\xff\x4f\xff\x51')],
  ['a JPEG XR', latin1('II\xbc\x01')],
  ['an icon', latin1('\0\0\x01\0\x01\0')],
  ['a cursor', latin1('\0\0\x02\0\x01\0')],
  ['a Photoshop document', latin1('8BPS\0\x01')],
  ['a PDF', latin1('%PDF-1.7')],
  ['a PostScript file', latin1('%!PS-Adobe-3.0')],
  ['an SVG', latin1('<svg xmlns="http://www.w3.org/2000/svg"/>')],
  ['an SVG', latin1('\xef\xbb\xbf<?xml version="1.0"?>\n<!-- drawn -->\n<!DOCTYPE svg>\n<svg\nwidth="1"/>')],
  ['an MP4 video', box('ftyp', 'isom')],
  ['an MP4 video', box('ftyp', 'mp42')],
  ['a QuickTime video', box('ftyp', 'qt  ')],
  ['a QuickTime video', box('moov')],
  ['a Matroska or WebM video', latin1('\x1a\x45\xdf\xa3')],
  ['an AVI video', latin1('RIFF\0\0\0\0AVI LIST')],
  ['a DICOM picture', at(128, 'DICM')],
  ['a Netpbm picture', latin1('P6\n2 2\n255\n')],
  ['an OpenEXR picture', latin1('v/1\x01')],
  ['a QOI', latin1('qoif')],
  ['an MNG', latin1('\x8aMNG\r\n\x1a\n')],
  ['a ZIP archive', latin1('PK\x03\x04')],
  ['a gzip archive', latin1('\x1f\x8b\x08\0')],
  ['an HTML page', latin1('<!doctype html><title>Not found</title>')],
  ['a data URL: send the bytes that it encodes', latin1('data:image/png;base64,iVBORw0KGgo')],
  ['Base64: send the bytes that it encodes', latin1('/9j/4AAQSkZJRg')],
  ['a Git LFS pointer', latin1('version https://git-lfs.github.com/spec/v1')],
])('%s is named', (name, bytes) => {
  expect(nameForeign(bytes)).toBe(name);
  expect(findCodec(codecs, bytes)).toBeUndefined();
});

test.each(['', 'B', 'BM', 'II*', 'not a photo', '<p>svg</p>', 'P6', 'RIFF', '\0\0\0\0'])('%j is not known', (text) => {
  expect(nameForeign(latin1(text))).toBeUndefined();
});

test('no accepted picture counts as foreign', () => {
  for (const { name, bytes } of pictures) expect(findCodec(codecs, bytes), name).toBeDefined();
});
