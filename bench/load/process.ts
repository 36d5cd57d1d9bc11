import { readdirSync, readFileSync } from 'node:fs';

/**
 * Bytes of a process that are in memory.
 *
 * @throws {Error} there is no such process, or the system is not Linux
 */
export function residentBytes(pid: number): number {
  const kilobytes = /^VmRSS:\s*(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  if (kilobytes === undefined) throw new Error(`process ${pid} has no memory`);
  return Number(kilobytes) * 1024;
}

/**
 * The files, sockets and other things that a process holds open.
 *
 * @throws {Error} there is no such process, or the system is not Linux
 */
export const openHandles = (pid: number): number => readdirSync(`/proc/${pid}/fd`).length;
