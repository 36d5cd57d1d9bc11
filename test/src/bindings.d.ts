declare namespace Cloudflare {
  interface Env {
    /** How many files the fuzz test corrupts. */
    readonly FUZZ_FILES: number;
  }
}

/** A file as text. */
declare module '*?raw' {
  const text: string;
  export default text;
}
