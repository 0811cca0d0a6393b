/** Where a benchmark runs, for the head of its report. */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { loadavg } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { HostFacts } from '../experiment/bench/environment'

/** The checkout, or where the package is installed: two folders above the bundle, and above this file. */
export const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..')

/** Short name of the commit, with "+" after it when files have been changed since; null outside a checkout. */
function commit(): string | null {
  const { status, stdout } = spawnSync('git', ['-C', ROOT, 'describe', '--always', '--exclude=*', '--dirty=+'])
  return status === 0 ? stdout.toString().trim() : null
}

function dawnVersion(): string {
  const { version } = JSON.parse(readFileSync(join(ROOT, 'node_modules', 'webgpu', 'package.json'), 'utf8'))
  return String(version)
}

export function dawnRuntime(): string {
  return `Dawn for Node ${dawnVersion()}, Node ${process.versions.node}`
}

/** Facts of this machine for a run in `runtime`. */
export function hostFacts(runtime: string): HostFacts {
  return { runtime, commit: commit(), load: loadavg()[0] }
}
