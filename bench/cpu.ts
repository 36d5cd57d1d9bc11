import { readdirSync, readFileSync } from 'node:fs';

/** In which Linux tells user programs CPU times, per second: USER_HZ, the same on all of today's architectures. */
const TICKS = 100;

/**
 * Milliseconds of CPU time that a process has used, all of its threads together, in its own code and in the kernel for it.
 * Other work on the machine hardly changes it, unlike time by the clock.
 *
 * @throws {Error} there is no such process, or the system is not Linux
 */
export function cpuMilliseconds(pid: number): number {
  const fields = statOf(pid);
  const [user, system] = [fields[11], fields[12]];
  return ((Number(user) + Number(system)) / TICKS) * 1000;
}

/** The processes that this one has started and whose program is called so; none where the system is not Linux. */
export function childrenNamed(program: string): number[] {
  if (process.platform !== 'linux') return [];
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        const isOurs = Number(statOf(pid)[1]) === process.pid;
        return isOurs && readFileSync(`/proc/${pid}/comm`, 'utf8').trim() === program;
      } catch {
        // It has ended meanwhile.
        return false;
      }
    });
}

/** What /proc/PID/stat says behind the program's name, which may hold spaces: the third field of proc(5) and on. */
function statOf(pid: number): string[] {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}
