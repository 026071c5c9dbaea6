import { execFileSync } from 'node:child_process';

/** The command lines of all living processes that mention the text, zombies left out. */
export function processesWith(text: string): string[] {
  const table = execFileSync('ps', ['-eo', 'pid=,stat=,args=', '-ww'], { encoding: 'utf8' });
  return table.split('\n').filter((line) => line.includes(text) && !/^\s*\d+\s+Z/.test(line));
}
