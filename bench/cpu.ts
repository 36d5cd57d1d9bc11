import { readdirSync, readFileSync } from 'node:fs';

/** Clock ticks per second in /proc (USER_HZ): 100 on every current architecture. */
const TICKS = 100;

/**
 * CPU milliseconds that a process has used, in all threads, in user code and in the kernel. Unlike wall-clock time, it hardly
 * depends on other work on the machine.
 *
 * @throws {Error} there is no such process, or the system is not Linux
 */
export function cpuMilliseconds(pid: number): number {
  const fields = readStat(pid);
  return ((Number(fields[11]) + Number(fields[12])) / TICKS) * 1000;
}

/** The ids of this process's children that run this program; none where the system is not Linux. */
export function childrenNamed(program: string): number[] {
  if (process.platform !== 'linux') return [];
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        const isChild = Number(readStat(pid)[1]) === process.pid;
        return isChild && readFileSync(`/proc/${pid}/comm`, 'utf8').trim() === program;
      } catch {
        // The process has ended.
        return false;
      }
    });
}

/** The fields of /proc/PID/stat from the third one on: they follow the program's name, which may contain spaces. */
function readStat(pid: number): string[] {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}
