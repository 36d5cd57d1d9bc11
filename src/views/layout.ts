import { html } from 'hono/html';
import type { HtmlEscapedString } from 'hono/utils/html';

/** Markup with escaped values. */
export type Markup = HtmlEscapedString | Promise<HtmlEscapedString>;

/** A whole page around `content`. */
export function layout(title: string, content: Markup): Markup {
  return html`<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <title>${title} · Husky AI</title>
    <link rel="icon" href="/icon.svg" type="image/svg+xml">
    <link rel="stylesheet" href="/styles/base.css">
    <link rel="stylesheet" href="/styles/docs.css">
  </head>
  <body class="document">
    <header>
      <a class="brand" href="/"><img src="/icon.svg" alt="" width="36" height="36">Husky AI</a>
      <nav aria-label="Documents">
        <a href="/docs">API</a>
        <a href="/docs/model">Model</a>
        <a href="/openapi.json">openapi.json</a>
      </nav>
    </header>
    <main>${content}</main>
  </body>
</html>`;
}

/** Text with \`code\` between backquotes, as in the API document. */
export function words(text: string | undefined): Markup {
  const pieces = (text ?? '').split('`').map((piece, index) => (index % 2 ? html`<code>${piece}</code>` : piece));
  return html`${pieces}`;
}
