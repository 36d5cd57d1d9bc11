declare namespace Cloudflare {
  interface Env {
    /** How many files the fuzz test corrupts. */
    readonly FUZZ_FILES: number;
  }
}
