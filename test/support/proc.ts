// Data of /proc about a process (proc(5)), for all of its threads together.
import { readFileSync, writeFileSync } from 'node:fs';

const TICK_US = 10_000;

/** CPU time so far, microseconds. */
export function cpuUs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // utime and stime; the name before them ends with the last parenthesis.
  const [utime, stime] = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 13);
  return (Number(utime) + Number(stime)) * TICK_US;
}

/** Its present memory, bytes. */
export const rssBytes = (pid: number): number => statusBytes(pid, 'VmRSS');

/** Its largest memory since its start or since `resetPeak`, bytes. */
export const peakRssBytes = (pid: number): number => statusBytes(pid, 'VmHWM');

export function resetPeak(pid: number): void {
  writeFileSync(`/proc/${pid}/clear_refs`, '5');
}

function statusBytes(pid: number, key: string): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(new RegExp(`^${key}:\\s+(\\d+) kB$`, 'm').exec(status)![1]) * 1_024;
}
