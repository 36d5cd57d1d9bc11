import { marked } from 'marked';

/** A heading, a fenced block of code, or other text of a document. */
export interface Block {
  readonly kind: 'heading' | 'fence' | 'text';
  /** The language of a fence, such as `sh`; otherwise empty. */
  readonly language: string;
  /** A heading without its `#`s, the content of a fence, or the Markdown of a paragraph, list or table. */
  readonly text: string;
  /** The number of its first line, from 1. */
  readonly line: number;
}

/** The blocks of a document, in order. */
export function parseBlocks(document: string): readonly Block[] {
  let line = 1;
  return marked.lexer(document).flatMap((token): Block[] => {
    const start = line;
    line += token.raw.split('\n').length - 1;
    if (token.type === 'space') return [];
    if (token.type === 'heading') return [{ kind: 'heading', language: '', text: token.text, line: start }];
    if (token.type === 'code') return [{ kind: 'fence', language: token.lang ?? '', text: token.text, line: start }];
    return [{ kind: 'text', language: '', text: token.raw, line: start }];
  });
}

/** The commands of shell code, one per line, without comments. */
export function parseCommands(code: string): readonly string[] {
  return code
    .replaceAll(/\\\n\s*/g, ' ')
    .split('\n')
    .map((line) => line.replace(/(^|\s)#.*$/, '').trim())
    .filter((line) => line !== '');
}
