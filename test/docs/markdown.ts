/** As much of Markdown as this project's documents are written in. */

export interface Block {
  readonly kind: 'heading' | 'fence' | 'text';
  /** Of a fence: what follows its backticks, such as `sh`. */
  readonly language: string;
  /** Of a heading, without its `#`s; of a fence, its content; else a paragraph, a list or a table. */
  readonly text: string;
  /** The number of its first line, from 1. */
  readonly line: number;
}

/** The headings, fenced code and paragraphs of a document, in order. */
export function blocksOf(document: string): readonly Block[] {
  const blocks: Block[] = [];
  let open: { language: string; fence: string; lines: string[]; line: number } | undefined;
  let paragraph: { lines: string[]; line: number } | undefined;
  const endParagraph = () => {
    if (paragraph)
      blocks.push({ kind: 'text', language: '', text: paragraph.lines.join('\n'), line: paragraph.line });
    paragraph = undefined;
  };
  for (const [index, line] of document.split('\n').entries()) {
    if (open) {
      if (line.trim() === open.fence) {
        blocks.push({ kind: 'fence', language: open.language, text: open.lines.join('\n'), line: open.line });
        open = undefined;
      } else open.lines.push(line);
      continue;
    }
    const [, fence, language = ''] = /^\s*(`{3,})(\S*)/.exec(line) ?? [];
    const heading = /^#{1,6} +(.*?) *#*$/.exec(line)?.[1];
    if (fence !== undefined || heading !== undefined || line.trim() === '') endParagraph();
    if (fence !== undefined) open = { language, fence, lines: [], line: index + 1 };
    else if (heading !== undefined)
      blocks.push({ kind: 'heading', language: '', text: heading, line: index + 1 });
    else if (line.trim() !== '') {
      paragraph ??= { lines: [], line: index + 1 };
      paragraph.lines.push(line);
    }
  }
  endParagraph();
  if (open) throw new Error(`the code of line ${open.line} has no end`);
  return blocks;
}

/** The commands of shell code, a line each, continued ones joined; without comments. */
export function commandsOf(code: string): readonly string[] {
  return code
    .replaceAll(/\\\n\s*/g, ' ')
    .split('\n')
    .map((line) => line.replace(/(^|\s)#.*$/, '').trim())
    .filter((line) => line !== '');
}
